import { describe, expect, it } from "vitest";
import { callPlugin } from "./plugin.ts";

const print = ["sh", "-c", 'env | grep ^CNI_ | sort | tr "\\n" " " >&2; cat'];

describe("a call by the CNI protocol", () => {
  it("sets the variables that were given, and no others", async () => {
    const answer = await callPlugin({
      command: print,
      verb: "DEL",
      containerID: "c1",
      args: "A=b",
      stdin: { name: "net" },
    });
    expect(answer).toMatchObject({ exitCode: 0, stdout: '{"name":"net"}', json: { name: "net" } });
    expect(answer.stderr).toBe("CNI_ARGS=A=b CNI_COMMAND=DEL CNI_CONTAINERID=c1 ");
  });

  it("tells exit status, signal, and output that isn't JSON", async () => {
    expect(await callPlugin({ command: ["sh", "-c", "echo rubbish; exit 3"] })).toMatchObject({
      exitCode: 3,
      stdout: "rubbish\n",
      json: undefined,
    });
    expect(await callPlugin({ command: ["sh", "-c", "kill -TERM $$"] })).toMatchObject({ signal: "SIGTERM" });
  });

  it("out of time, ends the plugin and what that has started", async () => {
    const answer = await callPlugin({ command: ["sh", "-c", "sleep 60 & sleep 60"], timeoutMs: 200 });
    expect(answer).toMatchObject({ timedOut: true, signal: "SIGKILL" });
    expect(answer.milliseconds).toBeLessThan(5_000);
  });

  it("takes no harm from a plugin that never reads its input", async () => {
    const answer = await callPlugin({ command: ["true"], stdin: "x".repeat(10_000_000) });
    expect(answer.exitCode).toBe(0);
  });

  it("names a program that can't be started", async () => {
    await expect(callPlugin({ command: ["./no-such-program"] })).rejects.toThrow(
      "./no-such-program did not start",
    );
  });
});
