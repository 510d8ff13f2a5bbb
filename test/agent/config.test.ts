import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { executables } from "../parts/plugin.ts";

const command = executables()[0]?.command("kube-node-agent")[0] as string;
const call = (args: string[], env: Record<string, string> = {}) =>
  execa(command, args, { reject: false, extendEnv: false, env });

describe("flags and environment", () => {
  it.each([
    [[], "name a command: run, install, uninstall or version; kube-node-agent -h says more"],
    [["walk"], "unknown command 'walk'; kube-node-agent -h says more"],
    [
      ["run"],
      "the node's name isn't known: set it from the pod's spec.nodeName (NODE_NAME), or give --node-name=NAME",
    ],
    [["run", "--node-name=A_b"], '--node-name "A_b": no Node can have this name'],
    [
      ["run", "--node-name=n", "--host-root=here"],
      '--host-root "here": expected an absolute path without ".."',
    ],
    [
      ["run", "--node-name=n", "--data-dir=/var/../etc"],
      '--data-dir "/var/../etc": expected an absolute path without ".."',
    ],
    [
      ["run", "--node-name=n", "--metrics-address=9465"],
      "--metrics-address 9465: expected HOST:PORT, as 127.0.0.1:9465, [::1]:9465 or :9465",
    ],
    [["run", "--node-name=n", "--metrics-address=a:70000"], "--metrics-address a:70000: expected HOST:PORT"],
    [
      ["run", "--node-name=n", "--grace-period=soon"],
      "--grace-period soon: expected a time such as 30s, 5m or 1h30m",
    ],
    [
      ["run", "--node-name=n", "--leak-interval=10ms"],
      "--leak-interval 10ms: expected a time such as 30s, 5m or 1h30m, 1s or more",
    ],
    [
      ["run", "--node-name=n", "--log-level=loud"],
      "option '--log-level <LEVEL>' argument 'loud' is invalid. Allowed choices are trace, debug, info, warn, error.",
    ],
    [
      ["run", "--node-name=n", "--plugin-account=a/b/c"],
      "--plugin-account a/b/c: expected NAME or NAMESPACE/NAME of a ServiceAccount",
    ],
    [["run", "--node-name=n", "--fast"], "unknown option '--fast'"],
  ])("%j is refused with 2", async (args, words) => {
    const answer = await call(args);
    expect(answer).toMatchObject({ exitCode: 2, stdout: "" });
    expect(answer.stderr).toContain(`kube-node-agent: ${words}`);
  });

  it("the environment names the node, and a flag has the last word", async () => {
    expect((await call(["run", "--host-root=x"], { NODE_NAME: "n" })).stderr).toContain("--host-root");
    expect((await call(["run", "--node-name=A"], { NODE_NAME: "n" })).stderr).toContain('--node-name "A"');
  });

  it.each([["-h"], ["run -h"], ["help install"]])("%s says what there is", async (words) => {
    const answer = await call(words.split(" "));
    expect(answer).toMatchObject({ exitCode: 0, stderr: "" });
    expect(answer.stdout).toMatch(/^Usage: kube-node-agent/);
  });

  it.each([["version"], ["--version"], ["-V"]])("%s says what this is", async (word) => {
    expect(await call([word])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^kube-node-agent \d+\.\d+\.\d+/),
    });
  });
});
