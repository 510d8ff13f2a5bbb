import { chmodSync, closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Ended, Program } from "../../src/host/exec.ts";
import { testFolder } from "./folder.ts";
import { callElsewhere, type How, type Outcome, runtimes } from "./other-process.ts";

/** `run` in a process of its own; `seconds` is the program's deadline from now on, and two more are for tidying up. */
function run(
  runtime: (typeof runtimes)[number],
  { seconds = 20, ...program }: Partial<Program> & { path: string; stdin?: string; seconds?: number },
  how?: How,
): Promise<Outcome<Ended>> {
  const env = { PATH: process.env["PATH"], ...program.env };
  const deadline = Date.now() + seconds * 1000;
  const whole = { stdin: "", ...program, env, time: { deadline, end: deadline + 2000 } };
  return callElsewhere(runtime, ["host/exec.ts", "run"], [whole], how);
}

/** Both at once, since they only wait. */
function runOnBoth(program: Parameters<typeof run>[1]): Promise<Outcome<Ended>[]> {
  return Promise.all(runtimes.map((runtime) => run(runtime, program)));
}

const sh = (script: string) => ({ path: "/bin/sh", args: ["-c", script] });

describe.each(runtimes)("run on %s", (runtime) => {
  it("gives a program its input, arguments and environment, and no other environment", async () => {
    const script = 'cat; echo "$0 $1 $A"; env | grep -c SECRET';
    const program = { path: "/bin/sh", args: ["-c", script, "zero", "one"], env: { A: "a", B: undefined } };
    const { value } = await run(runtime, { ...program, stdin: "input\n" }, { env: { SECRET: "not this" } });
    expect(value).toEqual({ stdout: "input\nzero one a\n0\n", exitCode: 1, signal: null, timedOut: false });
  });

  it("lets its stderr through, as it is", async () => {
    const { value, stderr } = await run(runtime, sh("echo words >&2; echo out"));
    expect(value).toMatchObject({ stdout: "out\n", exitCode: 0 });
    expect(stderr).toBe("words\n");
  });

  it("tells which signal has ended it", async () => {
    const { value } = await run(runtime, sh("echo some; kill -SEGV $$"));
    expect(value).toEqual({ stdout: "some\n", exitCode: null, signal: "SIGSEGV", timedOut: false });
  });

  it("needs no reader for its input", async () => {
    const { value } = await run(runtime, { path: "/bin/true", stdin: "x".repeat(100_000) });
    expect(value).toMatchObject({ exitCode: 0, timedOut: false });
  });

  it("keeps characters whole", async () => {
    const text = `x${"ü€😀".repeat(2000)}`;
    expect((await run(runtime, { path: "/bin/cat", stdin: text })).value?.stdout).toBe(text);
  });
});

describe.each(runtimes)("a program that can't be started, on %s", (runtime) => {
  it("is absent", async () => {
    const { error } = await run(runtime, { path: join(testFolder(), "absent") });
    expect(error).toMatchObject({ code: "ENOENT" });
  });

  it("is not executable", async () => {
    const path = join(testFolder(), "data");
    writeFileSync(path, "#!/bin/sh\n", { mode: 0o644 });
    expect((await run(runtime, { path })).error).toMatchObject({ code: "EACCES" });
  });

  it("is made for another machine", async () => {
    const path = join(testFolder(), "foreign");
    writeFileSync(path, Buffer.concat([Buffer.from("\x7fELF\x02\x01\x01"), Buffer.alloc(200, 0xee)]), {
      mode: 0o755,
    });
    const { value, error } = await run(runtime, { path });
    // Node starts programs by execvp(3), which tries a shell on what the kernel doesn't know.
    if (runtime === "node") expect(value?.exitCode).toBeGreaterThan(1);
    else expect(error).toMatchObject({ code: "ENOEXEC" });
  });

  it("is just being replaced: tried again until the writer is done", async () => {
    const path = join(testFolder(), "busy");
    writeFileSync(path, "#!/bin/sh\necho done\n");
    chmodSync(path, 0o755);
    const writer = openSync(path, "r+");
    const running = run(runtime, { path });
    await pause(runtime === "node" ? 80 : 40);
    closeSync(writer);
    expect((await running).value).toMatchObject({ stdout: "done\n", exitCode: 0 });
  });

  it("is being replaced for too long", async () => {
    const path = join(testFolder(), "busy");
    writeFileSync(path, "#!/bin/sh\n", { mode: 0o755 });
    const writer = openSync(path, "r+");
    expect((await run(runtime, { path })).error).toMatchObject({ code: "ETXTBSY" });
    closeSync(writer);
  });
});

describe("at its deadline, on both runtimes", () => {
  it("a program is asked to end, and may say its last words", async () => {
    const script = "trap 'echo bye; exit 7' TERM; echo begun; sleep 30 >/dev/null 2>&1 & wait";
    for (const { value, milliseconds } of await runOnBoth({ ...sh(script), seconds: 1 })) {
      expect(value).toEqual({ stdout: "begun\nbye\n", timedOut: true, exitCode: 7, signal: null });
      expect(milliseconds).toBeLessThan(8000);
    }
  });

  it("one that doesn't know how to end, ends by the signal", async () => {
    const program = { path: "/bin/sleep", args: ["30"] };
    for (const { value, milliseconds } of await runOnBoth({ ...program, seconds: 1 })) {
      expect(value).toEqual({ stdout: "", exitCode: null, signal: "SIGTERM", timedOut: true });
      expect(milliseconds).toBeLessThan(8000);
    }
  });

  it("one that doesn't listen is killed before the end", async () => {
    const script = "trap '' TERM; echo begun; exec sleep 30";
    for (const { value, milliseconds } of await runOnBoth({ ...sh(script), seconds: 1 })) {
      expect(value).toEqual({ stdout: "begun\n", exitCode: null, signal: "SIGKILL", timedOut: true });
      expect(milliseconds).toBeGreaterThan(1500);
      expect(milliseconds).toBeLessThan(8000);
    }
  });

  it("one whose time was over before it began is asked to end at once", async () => {
    const program = { path: "/bin/sleep", args: ["30"] };
    for (const { value, milliseconds } of await runOnBoth({ ...program, seconds: -5 })) {
      expect(value).toMatchObject({ timedOut: true, signal: "SIGTERM" });
      expect(milliseconds).toBeLessThan(8000);
    }
  });

  it("a grandchild that holds the pipe is not waited for", async () => {
    const pids = join(testFolder(), "pids");
    const script = `sleep 30 2>/dev/null & echo $! >>${pids}; echo out`;
    const both = await runOnBoth({ ...sh(script), seconds: 1 });
    for (const pid of readFileSync(pids, "utf8").trim().split("\n")) process.kill(Number(pid));
    for (const { value, milliseconds } of both) {
      expect(value?.exitCode).toBe(0);
      expect(milliseconds).toBeLessThan(8000);
    }
  });

  it("a grandchild that lets go of the pipe changes nothing", async () => {
    const both = await runOnBoth(sh("(exec >/dev/null 2>&1 </dev/null; sleep 10) & echo out"));
    for (const { value, milliseconds } of both) {
      expect(value).toEqual({ stdout: "out\n", exitCode: 0, signal: null, timedOut: false });
      expect(milliseconds).toBeLessThan(8000);
    }
  });
});

describe.each(runtimes)("a program that prints too much, on %s", (runtime) => {
  it("finds its pipe closed", async () => {
    const { value, milliseconds } = await run(runtime, { ...sh("exec yes"), maxOutput: 1000, seconds: 10 });
    expect(value?.exitCode).not.toBe(0);
    expect(value?.timedOut).toBe(false);
    expect(value?.stdout.startsWith("y\ny\n")).toBe(true);
    expect(value?.stdout.length).toBeLessThan(1 << 20);
    expect(milliseconds).toBeLessThan(9000);
  });

  it("is cut off after a megabyte where nothing else is said", async () => {
    const { value } = await run(runtime, sh("head -c 50000000 /dev/zero | tr '\\0' x"));
    expect(value?.stdout.length).toBeLessThan(1 << 21);
    expect(value?.timedOut).toBe(false);
  });
});
