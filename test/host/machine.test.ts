import { writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { bootID, hostName, machineIDs, uptime } from "../../src/host/machine.ts";
import { testFolder } from "./folder.ts";

describe("machineIDs", () => {
  it.each([
    ["3d1219c7c4c5404aaa1f6d2a48adfda4\n", ["3d1219c7c4c5404aaa1f6d2a48adfda4"]],
    ["a", ["a"]],
    ["\n\n a \n\nb\n", ["a", "b"]],
    ["uninitialized\n", ["uninitialized"]],
    ["", []],
    ["\n \n", []],
  ])("in %j are %j", (text, ids) => {
    const path = join(testFolder(), "machine-id");
    writeFileSync(path, text);
    expect(machineIDs(path)).toEqual(ids);
  });

  it("are none where there is no file", () => {
    expect(machineIDs(join(testFolder(), "absent"))).toEqual([]);
  });
});

describe("the machine", () => {
  it("has an id of this boot", () => {
    expect(bootID()).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    expect(bootID()).toBe(bootID());
  });

  it("has a clock that goes on", async () => {
    const before = uptime();
    await pause(50);
    expect(uptime()).toBeGreaterThan(before);
    expect(uptime() - before).toBeLessThan(5);
  });

  it("has a name", () => {
    expect(hostName()).toBe(hostname());
  });
});
