import { describe, expect, it } from "vitest";
import { formatHeldBlocks, type HeldBlock, parseHeldBlocks } from "../../src/api/held-blocks.ts";

const block: HeldBlock = {
  name: "ippool.a.3",
  subnet: "10.1.0.0/16",
  first: "10.1.0.5",
  last: "10.1.0.20",
  used: 2,
  nodeUID: "6d4f",
};

describe("the annotation of blocks that a node still holds", () => {
  it("is read as it was written", () => {
    const all = [block, { ...block, name: "cidrpool.a.b.18446744073709551616" }];
    expect(parseHeldBlocks(formatHeldBlocks(all))).toEqual(all);
  });

  it.each([
    ["ippool.a.3", "expected JSON"],
    ["{}", "expected a JSON list of blocks"],
    ["[1]", "[0]: expected an object"],
    [
      JSON.stringify([block, { ...block, name: "a.3" }]),
      "[1].name: expected a NodeBlock's name such as ippool.a.3",
    ],
    [
      JSON.stringify([{ ...block, subnet: "10.1.0.0" }]),
      "[0].subnet: expected a network such as 10.1.0.0/16",
    ],
    [JSON.stringify([{ ...block, first: "10.2.0.1" }]), "[0].first: expected an address in 10.1.0.0/16"],
    [
      JSON.stringify([{ ...block, last: "10.1.0.4" }]),
      "[0].last: expected an address in 10.1.0.0/16, not before .first",
    ],
    [JSON.stringify([{ ...block, used: -1 }]), "[0].used: expected a number of addresses"],
    [JSON.stringify([{ ...block, nodeUID: "" }]), "[0].nodeUID: expected the Node's UID"],
  ])("%s is refused: %s", (text, words) => {
    expect(() => parseHeldBlocks(text)).toThrow(new Error(words));
  });
});
