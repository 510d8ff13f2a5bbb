import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readLegacyCache } from "../../src/ranges/legacy-cache.ts";
import { testFolder } from "../host/folder.ts";

const ranges = (...subnets: string[]) => subnets.map((subnet) => [{ subnet }]);
const good = { type: "host-local", ranges: ranges("10.1.2.0/24", "fd00::/64") };

describe("readLegacyCache", () => {
  it.each<[string, object, string[]]>([
    ["both families", good, ["10.1.2.0/24", "fd00::/64"]],
    ["their order", { ...good, ranges: ranges("fd00::/64", "10.1.2.0/24") }, ["fd00::/64", "10.1.2.0/24"]],
    ["one family", { ...good, ranges: ranges("10.1.2.0/24") }, ["10.1.2.0/24"]],
    [
      "a dataDir in it, which doesn't count",
      { ...good, dataDir: "/elsewhere" },
      ["10.1.2.0/24", "fd00::/64"],
    ],
    [
      "what the original drops of a hand-made one",
      { ...good, ranges: [[{ subnet: "10.1.2.0/24", rangeStart: "10.1.2.9" }]], routes: [] },
      ["10.1.2.0/24"],
    ],
  ])("reads %s", (_, cache, subnets) => {
    expect(readLegacyCache(write(JSON.stringify(cache)), "net1")).toEqual(subnets);
  });

  it.each<[string, unknown]>([
    ["nothing", ""],
    ["no JSON", "{"],
    ["a list", []],
    ["null", null],
    ["another type", { ...good, type: "kube-node" }],
    ["no type", { ranges: good.ranges }],
    ["no ranges", { type: "host-local" }],
    ["empty ranges", { ...good, ranges: [] }],
    ["null ranges", { ...good, ranges: null }],
    ["three", { ...good, ranges: ranges("10.1.2.0/24", "fd00::/64", "10.1.3.0/24") }],
    ["two of a family", { ...good, ranges: ranges("10.1.2.0/24", "10.1.3.0/24") }],
    ["a set of two", { ...good, ranges: [[{ subnet: "10.1.2.0/24" }, { subnet: "10.1.3.0/24" }]] }],
    ["an empty set", { ...good, ranges: [[]] }],
    ["a set that is none", { ...good, ranges: [{ subnet: "10.1.2.0/24" }] }],
    ["no network", { ...good, ranges: ranges("10.1.2.0") }],
    ["a number", { ...good, ranges: [[{ subnet: 5 }]] }],
    ["brackets without end", "[".repeat(100_000)],
  ])("passes over %s", (_, cache) => {
    const text = typeof cache === "string" ? cache : JSON.stringify(cache);
    expect(readLegacyCache(write(text), "net1")).toBeUndefined();
  });

  it("passes over what is no file, or is too long for one", () => {
    const folder = testFolder();
    mkdirSync(join(folder, "kube-node.json"));
    expect(readLegacyCache(folder, "net1")).toBeUndefined();
    expect(readLegacyCache(write("x".repeat(2 << 20)), "net1")).toBeUndefined();
  });

  it("is none where there is none", () => {
    expect(readLegacyCache(testFolder(), "net1")).toBeUndefined();
    expect(readLegacyCache(join(testFolder(), "absent"), "net1")).toBeUndefined();
  });
});

describe("whose it is", () => {
  it("is this network's where its dataDir serves no other", () => {
    const dataDir = write(JSON.stringify(good));
    for (const name of ["net1", ".kube-node", ".hidden"]) mkdirSync(join(dataDir, name));
    writeFileSync(join(dataDir, "a-file"), "");
    expect(readLegacyCache(dataDir, "net1")).toEqual(["10.1.2.0/24", "fd00::/64"]);
  });

  it("may be another's where there is another", () => {
    const dataDir = write(JSON.stringify(good));
    mkdirSync(join(dataDir, "net1"));
    mkdirSync(join(dataDir, "net2"));
    expect(readLegacyCache(dataDir, "net1")).toBeUndefined();
    expect(readLegacyCache(dataDir, "net2")).toBeUndefined();
  });

  it("is found through a link, as the original found it", () => {
    const [dataDir, elsewhere] = [testFolder(), write(JSON.stringify(good))];
    symlinkSync(join(elsewhere, "kube-node.json"), join(dataDir, "kube-node.json"));
    expect(readLegacyCache(dataDir, "net1")).toBeDefined();
  });
});

function write(text: string): string {
  const folder = testFolder();
  writeFileSync(join(folder, "kube-node.json"), text);
  return folder;
}
