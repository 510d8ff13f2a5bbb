import {
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  fileName,
  type LastAnswer,
  type LastFailure,
  readLastAnswer,
  readLastFailure,
  writeLastAnswer,
  writeLastFailure,
} from "../../src/ranges/last-answer.ts";
import { testFolder } from "../host/folder.ts";
import { root, whatLacks } from "../parts/tools.ts";

const asRoot = whatLacks(root());
const label = "annotation example.com/net1";
const answer: LastAnswer = {
  version: 1,
  source: label,
  node: { name: "node-a", uid: "u1" },
  machineIDs: ["m1"],
  value: "10.1.2.0/24",
  bootID: "b1",
  at: 100.5,
  time: "2026-01-01T00:00:00.000Z",
};
const read = (folder: string) => readLastAnswer(folder, label, ["m1"]);

describe("the last answer", () => {
  it.each([["10.1.2.0/24"], [["10.1.2.0/24", "fd00::/64"]], [null], [""]])(
    "is read as it was written: %j",
    (value) => {
      const folder = testFolder();
      writeLastAnswer(folder, { ...answer, value });
      expect(read(folder)).toEqual({ ...answer, value });
    },
  );

  it("makes its folder, and is for this user alone", () => {
    const folder = join(testFolder(), "a/b");
    writeLastAnswer(folder, answer);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, fileName("ranges", label))).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it("is kept by source", () => {
    const folder = testFolder();
    writeLastAnswer(folder, answer);
    writeLastAnswer(folder, { ...answer, source: "spec.podCIDRs", value: ["10.2.0.0/24"] });
    expect(read(folder)?.value).toBe("10.1.2.0/24");
    expect(readLastAnswer(folder, "spec.podCIDRs", ["m1"])?.value).toEqual(["10.2.0.0/24"]);
    expect(readLastAnswer(folder, "annotation other", ["m1"])).toBeUndefined();
  });

  it("of a source whose name ends like another's is not the other's", () => {
    const folder = testFolder();
    const [one, other] = ["a", "b"].map((first) => `annotation ${first}${"x".repeat(300)}`) as [
      string,
      string,
    ];
    writeLastAnswer(folder, { ...answer, source: one });
    expect(readLastAnswer(folder, one, ["m1"])).toBeDefined();
    expect(readLastAnswer(folder, other, ["m1"])).toBeUndefined();
  });

  it.each([[["m2"]], [[]], [["m1", "m2"]], [["m2", "m1"]]])("of another machine is nobody's: %j", (ids) => {
    const folder = testFolder();
    writeLastAnswer(folder, answer);
    expect(readLastAnswer(folder, label, ids)).toBeUndefined();
  });

  it("is none where there is none", () => {
    expect(read(testFolder())).toBeUndefined();
    expect(read(join(testFolder(), "absent"))).toBeUndefined();
  });
});

describe("a damaged answer is as good as none", () => {
  it.each<[string, unknown]>([
    ["empty", ""],
    ["zeros", "\0\0\0"],
    ["cut off", JSON.stringify(answer).slice(0, 60)],
    ["a list", []],
    ["of a later version", { ...answer, version: 2 }],
    ["without a node", { ...answer, node: undefined }],
    ["with a node without name", { ...answer, node: { uid: "u1" } }],
    ["with a value that is a number", { ...answer, value: 5 }],
    ["with a value of numbers", { ...answer, value: [5] }],
    ["without a value", { ...answer, value: undefined }],
    ["with a time that is none", { ...answer, at: "100" }],
    ["of an asker that is no process", { ...answer, asker: "1" }],
    ["without a boot", { ...answer, bootID: undefined }],
    ["with machine ids that are a text", { ...answer, machineIDs: "m1" }],
    ["longer than any", "\0".repeat(2 << 20)],
    ["with brackets without end", "[".repeat(100_000)],
  ])("%s", (_, content) => {
    const folder = testFolder();
    const text = typeof content === "string" ? content : JSON.stringify(content);
    writeFileSync(join(folder, fileName("ranges", label)), text);
    writeFileSync(join(folder, fileName("failure", label)), text);
    expect(read(folder)).toBeUndefined();
    if (typeof content === "string") expect(readLastFailure(folder, label)).toBeUndefined();
  });

  it("and so is a link, a folder, or what is another user's", () => {
    const [folder, elsewhere] = [testFolder(), testFolder()];
    const name = fileName("ranges", label);
    writeLastAnswer(elsewhere, answer);
    symlinkSync(join(elsewhere, name), join(folder, name));
    expect(read(folder)).toBeUndefined();
    mkdirSync(join(folder, fileName("failure", label)));
    expect(readLastFailure(folder, label)).toBeUndefined();
  });

  it.skipIf(asRoot.some)(`and so is another user's${asRoot.words}`, () => {
    const folder = testFolder();
    writeLastAnswer(folder, answer);
    chownSync(join(folder, fileName("ranges", label)), 12345, 12345);
    expect(read(folder)).toBeUndefined();
  });
});

describe("the last failure", () => {
  it("is read as it was written", () => {
    const folder = join(testFolder(), "new");
    const failure: LastFailure = { bootID: "b1", at: 1, kind: "outage", reason: "refused", code: 7 };
    writeLastFailure(folder, label, failure);
    expect(readLastFailure(folder, label)).toEqual(failure);
    expect(readLastFailure(folder, "spec.podCIDRs")).toBeUndefined();
  });
});

describe("fileName", () => {
  it("is a name, whatever the annotation is called", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 400 }), (key) => {
        const name = fileName("ranges", `annotation ${key}`);
        expect(name).toMatch(/^ranges-[^/\0]+$/);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
      }),
    );
  });

  it("is a name for half a character as well", () => {
    expect(() => fileName("ranges", "annotation \ud800")).not.toThrow();
  });

  it("can be written for any annotation", () => {
    const folder = testFolder();
    for (const source of [
      `annotation ${"/".repeat(300)}`,
      "annotation ../../x",
      "annotation .",
      "annotation é",
    ]) {
      writeLastAnswer(folder, { ...answer, source });
      expect(readLastAnswer(folder, source, ["m1"])?.source).toBe(source);
    }
    for (const name of readdirSync(folder)) expect(readFileSync(join(folder, name), "utf8")).toMatch(/^{/);
  });
});
