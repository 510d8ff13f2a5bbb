import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { claim, findRecord } from "../../src/lease/record.ts";
import { giveBack, takeOver } from "../../src/lease/take-over.ts";
import { testFolder } from "../host/folder.ts";
import { makeRecord } from "./take-over.ts";

const refuse = () => {
  throw new Error("held");
};

describe("takeOver", () => {
  it("claims what is still as it was judged, and nothing else", () => {
    const folder = testFolder();
    const dead = makeRecord({ nonce: "1-dead" });
    claim(folder, dead, refuse);
    expect(takeOver(folder, makeRecord({ nonce: "1-late" }), ["1-other"])).toBeUndefined();
    expect(findRecord(folder, "c1", "eth0")?.nonce).toBe("1-dead");
    expect(takeOver(folder, makeRecord({ nonce: "1-own" }), ["1-dead"])).toBeDefined();
    expect(findRecord(folder, "c1", "eth0")?.nonce).toBe("1-own");
    expect(takeOver(folder, makeRecord({ nonce: "1-late" }), ["1-dead"])).toBeUndefined();
  });

  it("claims what had no record only while it has none", () => {
    const folder = testFolder();
    expect(takeOver(folder, makeRecord({ nonce: "1-own" }), [])).toBeDefined();
    expect(takeOver(folder, makeRecord({ nonce: "1-late" }), [])).toBeUndefined();
    expect(findRecord(folder, "c1", "eth0")?.nonce).toBe("1-own");
  });

  it("is undone by giving back: dead again, for the next one who looks", () => {
    const folder = join(testFolder(), "attachments");
    mkdirSync(folder);
    claim(folder, makeRecord({ nonce: "1-dead" }), refuse);
    const own = takeOver(folder, makeRecord({ nonce: "1-own" }), ["1-dead"]);
    if (!own) throw new Error("not claimed");
    giveBack(own);
    expect(findRecord(folder, "c1", "eth0")?.nonce).toBe("1-dead");
    expect(readdirSync(folder)).toEqual(["c1:eth0"]);
  });
});
