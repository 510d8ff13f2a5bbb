import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { oneAtATime } from "../../src/host/one-at-a-time.ts";
import { testFolder } from "./folder.ts";
import { workElsewhere } from "./shared-work.ts";

const never = () => undefined;

describe("oneAtATime", () => {
  it("does the work, and leaves nothing behind", async () => {
    const folder = join(testFolder(), "made/when/needed");
    expect(await oneAtATime(folder, "lock", 1000, never, async () => "done")).toBe("done");
    expect(readdirSync(folder)).toEqual([]);
  });

  it("takes what is there already", async () => {
    const folder = testFolder();
    const work = async () => expect.unreachable("nobody has to work");
    expect(await oneAtATime(folder, "lock", 1000, () => "there", work)).toBe("there");
    expect(readdirSync(folder)).toEqual([]);
  });

  it("lets go where the work fails", async () => {
    const folder = testFolder();
    const failing = async () => {
      throw new Error("it failed");
    };
    await expect(oneAtATime(folder, "lock", 1000, never, failing)).rejects.toThrow("it failed");
    expect(readdirSync(folder)).toEqual([]);
    expect(await oneAtATime(folder, "lock", 1000, never, async () => 2)).toBe(2);
  });

  it("has one of several work, and the others share what it did", async () => {
    const folder = testFolder();
    let result: string | undefined;
    let count = 0;
    const work = async () => {
      count++;
      await pause(50);
      result = `work ${count}`;
      return result;
    };
    const all = Array.from({ length: 20 }, () => oneAtATime(folder, "lock", 5000, () => result, work));
    expect(new Set(await Promise.all(all))).toEqual(new Set(["work 1"]));
    expect(readdirSync(folder)).toEqual([]);
  });

  it("never has two work at once where nothing can be shared", async () => {
    const folder = testFolder();
    let working = 0;
    const work = async () => {
      expect(++working).toBe(1);
      await pause(5);
      working--;
    };
    await Promise.all(Array.from({ length: 10 }, () => oneAtATime(folder, "lock", 5000, never, work)));
    expect(readdirSync(folder)).toEqual([]);
  });

  it("keeps different works apart", async () => {
    const folder = testFolder();
    const order: string[] = [];
    const work = (name: string, delay: number) => async () => {
      await pause(delay);
      order.push(name);
    };
    await Promise.all([
      oneAtATime(folder, "a", 5000, never, work("a", 60)),
      oneAtATime(folder, "b", 5000, never, work("b", 5)),
    ]);
    expect(order).toEqual(["b", "a"]);
  });
});

describe("where the holder doesn't come to an end", () => {
  it("everyone goes on alone when patience is over", async () => {
    const folder = testFolder();
    writeFileSync(join(folder, "lock"), String(process.pid));
    const start = performance.now();
    expect(await oneAtATime(folder, "lock", 300, never, async () => "alone")).toBe("alone");
    expect(performance.now() - start).toBeGreaterThanOrEqual(290);
    expect(performance.now() - start).toBeLessThan(5000);
    expect(readdirSync(folder)).toEqual(["lock"]);
  });

  it("one who waits looks at its lock, and seldom at what was done", async () => {
    const folder = testFolder();
    writeFileSync(join(folder, "lock"), String(process.pid));
    let looks = 0;
    const done = () => {
      looks++;
      return undefined;
    };
    await oneAtATime(folder, "lock", 1000, done, async () => "alone");
    expect(looks).toBeGreaterThan(1);
    expect(looks).toBeLessThan(20);
  });

  it("its result counts as soon as it is there", async () => {
    const folder = testFolder();
    writeFileSync(join(folder, "lock"), String(process.pid));
    let result: string | undefined;
    setTimeout(() => {
      result = "shared";
    }, 60);
    const start = performance.now();
    expect(
      await oneAtATime(
        folder,
        "lock",
        5000,
        () => result,
        async () => "alone",
      ),
    ).toBe("shared");
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it("one that was killed is soon replaced", async () => {
    const folder = testFolder();
    const holder = spawn("sleep", ["60"]);
    writeFileSync(join(folder, "lock"), String(holder.pid));
    holder.kill("SIGKILL");
    await once(holder, "exit");
    const start = performance.now();
    expect(await oneAtATime(folder, "lock", 20_000, never, async () => "mine")).toBe("mine");
    expect(performance.now() - start).toBeLessThan(5000);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("one that holds for more than a minute is replaced, whoever has its number by now", async () => {
    const folder = testFolder();
    writeFileSync(join(folder, "lock"), String(process.pid));
    utimesSync(join(folder, "lock"), Date.now() / 1000 - 61, Date.now() / 1000 - 61);
    const start = performance.now();
    expect(await oneAtATime(folder, "lock", 20_000, never, async () => "mine")).toBe("mine");
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it.each([
    ["a folder", (path: string) => mkdirSync(path)],
    ["a dangling link", (path: string) => symlinkSync("nowhere", path)],
    ["rubbish", (path: string) => writeFileSync(path, "no number")],
    ["empty", (path: string) => writeFileSync(path, "")],
  ])("a lock that is %s stops nobody for longer than patience", async (_, make) => {
    const folder = testFolder();
    make(join(folder, "lock"));
    const start = performance.now();
    expect(await oneAtATime(folder, "lock", 200, never, async () => "alone")).toBe("alone");
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe("where no lock can be had", () => {
  it("everyone goes on alone, at once: a folder that can't be written", async () => {
    const start = performance.now();
    expect(await oneAtATime("/sys/kernel", "kube-node-lock", 20_000, never, async () => "alone")).toBe(
      "alone",
    );
    expect(performance.now() - start).toBeLessThan(5000);
    expect(existsSync("/sys/kernel/kube-node-lock")).toBe(false);
  });
});

describe("several processes", () => {
  it("have one work at a time", async () => {
    const folder = testFolder();
    const log = join(folder, "log");
    await Promise.all(
      Array.from({ length: 8 }, () => workElsewhere({ folder, log, share: false, work: 20 })),
    );
    const events = readFileSync(log, "utf8").trim().split("\n");
    expect(events).toHaveLength(16);
    for (let i = 0; i < events.length; i += 2) {
      expect([events[i], events[i + 1]]).toEqual([`begin ${pidOf(events[i])}`, `end ${pidOf(events[i])}`]);
    }
  });

  it("share one's work", async () => {
    const folder = testFolder();
    const log = join(folder, "log");
    await Promise.all(
      Array.from({ length: 8 }, () => workElsewhere({ folder, log, share: true, work: 600 })),
    );
    expect(readFileSync(log, "utf8").trim().split("\n")).toHaveLength(2);
  });

  it("go on soon when the one at work is killed without warning", async () => {
    const folder = testFolder();
    const log = join(folder, "log");
    const holder = workElsewhere({ folder, log, share: false, work: 60_000 });
    await expect.poll(() => existsSync(log) && readFileSync(log, "utf8")).toMatch(/^begin \d+\n$/);
    const others = [1, 2, 3].map(() => workElsewhere({ folder, log, share: false, work: 10 }));
    await pause(300);
    expect(readFileSync(log, "utf8").split("\n")).toHaveLength(2);
    process.kill(pidOf(readFileSync(log, "utf8")), "SIGKILL");
    const start = performance.now();
    await Promise.all(others);
    expect(performance.now() - start).toBeLessThan(5000);
    expect(readFileSync(log, "utf8").match(/end/g)).toHaveLength(3);
    expect(await holder).not.toBe(0);
  });
});

function pidOf(event: string | undefined): number {
  return Number(/\d+/.exec(event ?? "")?.[0]);
}
