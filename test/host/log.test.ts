import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openLog, parseLevel } from "../../src/host/log.ts";
import { testFolder } from "./folder.ts";
import { logElsewhere } from "./log-elsewhere.ts";
import { runtimes } from "./other-process.ts";

const names = ["trace", "debug", "info", "warn", "error"] as const;

describe("parseLevel", () => {
  it.each([
    [undefined, 30],
    ["", 30],
    ["info", 30],
    ["debug", 20],
    ["DEBUG", 20],
    ["trace", 10],
    ["Trace", 10],
    ["0", 30],
    ["1", 20],
    ["2", 10],
    ["7", 10],
    ["-1", 20],
    ["1.9", 20],
    ["warn", 30],
    ["fish", 30],
  ])("%j is %d", (text, level) => {
    expect(parseLevel(text)).toBe(level);
  });
});

describe("a line of the log", () => {
  it("has pino's keys: level, time, pid, hostname, what was given, and msg", () => {
    const path = join(testFolder(), "log");
    const before = Date.now();
    openLog(path, 30, { plugin: "kube-node" }).info("what happened", { node: "node-a", count: 3 });
    const [line = "", ...more] = linesOf(path);
    expect(more).toEqual([]);
    const { time, ...rest } = JSON.parse(line) as Record<string, unknown>;
    expect(Object.keys(JSON.parse(line) as object)).toEqual([
      "level",
      "time",
      "pid",
      "hostname",
      "plugin",
      "node",
      "count",
      "msg",
    ]);
    expect(rest).toEqual({
      level: 30,
      pid: process.pid,
      hostname: hostname(),
      plugin: "kube-node",
      node: "node-a",
      count: 3,
      msg: "what happened",
    });
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now());
  });

  it("has pino's numbers", () => {
    const path = join(testFolder(), "log");
    const log = openLog(path, 0);
    for (const name of names) log[name](name, {});
    expect(linesOf(path).map((line) => (JSON.parse(line) as { level: number }).level)).toEqual([
      10, 20, 30, 40, 50,
    ]);
  });

  it("is one line, whatever is in it", () => {
    const path = join(testFolder(), "log");
    openLog(path, 30).info("a\nb", { text: '\n"\0\u2028\ud800', none: undefined });
    expect(linesOf(path)).toHaveLength(1);
    expect(JSON.parse(linesOf(path)[0] as string)).toMatchObject({ msg: "a\nb" });
  });

  it.each([
    [10, names],
    [20, names.slice(1)],
    [30, names.slice(2)],
  ] as const)("at level %d is written for %j", (level, written) => {
    const path = join(testFolder(), "log");
    const log = openLog(path, level);
    for (const name of names) log[name](name, {});
    expect(linesOf(path).map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(written);
  });

  it("comes after what the file had", () => {
    const path = join(testFolder(), "log");
    writeFileSync(path, "before\n");
    openLog(path, 30).info("after", {});
    expect(linesOf(path)[0]).toBe("before");
    expect(linesOf(path)).toHaveLength(2);
  });

  it("makes a file that not everybody can read", () => {
    const path = join(testFolder(), "log");
    openLog(path, 30).info("first", {});
    expect(statSync(path).mode & 0o007).toBe(0);
  });
});

describe("a log that can't be written stops nothing", () => {
  it.each(["absent/log", "file/log", "folder", "x".repeat(300)])("%#", (name) => {
    const folder = testFolder();
    writeFileSync(join(folder, "file"), "");
    mkdirSync(join(folder, "folder"));
    expect(() => openLog(join(folder, name), 10).error("lost", { a: 1 })).not.toThrow();
  });

  it("where there is no room", () => {
    expect(() => openLog("/dev/full", 10).error("lost", {})).not.toThrow();
  });

  it.each(runtimes)("where it is a pipe that nobody reads (%s)", async (runtime) => {
    const path = join(testFolder(), "pipe");
    const { exitCode } = await logElsewhere(runtime, path, 1, { before: `mkfifo "$LOG"` });
    expect(exitCode).toBe(0);
  });

  it.each(runtimes)("where standard error is closed (%s)", async (runtime) => {
    const { exitCode } = await logElsewhere(runtime, undefined, 1, { after: "2>&-" });
    expect(exitCode).toBe(0);
  });
});

describe.each(runtimes)("without a file (%s)", (runtime) => {
  it("warnings and errors go to standard error, and nothing else does", async () => {
    const { stdout, stderr } = await logElsewhere(runtime, undefined, 1);
    const messages = stderr
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(messages).toEqual(["warn 0", "error 0"]);
    expect(stdout).toBe("");
  });
});

describe("lines of several processes", () => {
  it("don't mix", async () => {
    const path = join(testFolder(), "log");
    const runs = [...runtimes, ...runtimes].map((runtime) => logElsewhere(runtime, path, 100));
    await Promise.all(runs);
    const lines = linesOf(path).map((line) => JSON.parse(line) as { pid: number; msg: string; text: string });
    expect(lines).toHaveLength(4 * 100 * 5);
    for (const pid of new Set(lines.map((line) => line.pid))) {
      const own = lines.filter((line) => line.pid === pid).map(({ msg }) => msg);
      expect(own).toEqual(Array.from({ length: 100 }, (_, i) => names.map((name) => `${name} ${i}`)).flat());
    }
  });
});

function linesOf(path: string): string[] {
  const text = readFileSync(path, "utf8");
  expect(text.endsWith("\n")).toBe(true);
  return text.slice(0, -1).split("\n");
}
