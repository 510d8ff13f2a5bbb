import { describe, expect, it } from "vitest";
import { formatIp } from "../../src/address/ip.ts";
import { createFinder } from "../../src/page/finder.ts";
import { rowOfNodes, territoryOf } from "../map/world.ts";

const find = createFinder(territoryOf(rowOfNodes(20, ["10.0.0.0/16 /24", "fd00::/48 /64"], () => 3)));

describe("the page's search", () => {
  it("has names that are the words, or begin with them, before others", () => {
    const { finds, count } = find("node-1", 5);
    expect(finds.map(({ name, note }) => `${name} ${note}`)).toEqual([
      "node-1 10.0.0.0/24",
      "node-1 fd00::/64",
      "node-10 10.0.9.0/24",
      "node-11 10.0.10.0/24",
      "node-12 10.0.11.0/24",
    ]);
    expect(count).toBe(2 * 11);
  });

  it.each([
    ["10.0.4.", ["node-5 10.0.4.0/24"]],
    ["DEFAULT/WEB-7-2", ["default/web-7-2 10.0.7.4 · node-8", "default/web-7-2 fd00:0:0:7::4 · node-8"]],
    ["10.0.7.4", ["10.0.7.4 default/web-7-2 · node-8"]],
    ["fd00:0:0:7:0:0:0:4", ["fd00:0:0:7::4 default/web-7-2 · node-8"]],
    ["10.0.7.99", ["10.0.7.99 free · node-8"]],
    ["10.9.9.9", []],
    ["nobody", []],
    ["  ", []],
  ])("%j", (query, names) => {
    expect(find(query, 10).finds.map(({ name, note }) => `${name} ${note}`)).toEqual(names);
  });

  it("knows all blocks that have to do with the words, also of what it doesn't list", () => {
    const { finds, blocks, count } = find("web-", 1);
    expect([finds.length, blocks.size, count]).toEqual([1, 40, 120]);
    expect(finds.map(({ address }) => address && formatIp(address))).toEqual(["10.0.0.2"]);
  });
});
