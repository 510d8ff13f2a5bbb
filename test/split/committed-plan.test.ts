import { describe, expect, it } from "vitest";
import {
  formatCommittedPlan,
  largestPlan,
  parseCommittedPlan,
  sizeOfPlan,
} from "../../src/split/committed-plan.ts";
import { planSplit } from "../../src/split/plan.ts";
import { parseTerms } from "../../src/split/terms.ts";

function planOf(count: number, nameLength: number) {
  const nodes = Array.from({ length: count }, (_, index) => ({
    name: `${index}`.padStart(nameLength, "n"),
    uid: `01234567-89ab-cdef-0123-${String(index).padStart(12, "0")}`,
    selected: true,
  }));
  const terms = parseTerms({ cidr: "172.16.0.0/12,fd00:1234:5678::/48", perNode: "/26,/64" });
  return planSplit({
    key: "example.com/net1",
    terms,
    nodes,
    reserved: [],
    committed: undefined,
    now: new Date(0),
    releaseAfter: 0,
  }).committed;
}

describe("the size of a plan", () => {
  it.each([
    [5000, 63],
    [8600, 40],
  ])("%i nodes with names of %i characters and both families fit", (count, length) => {
    expect(sizeOfPlan(formatCommittedPlan(planOf(count, length)))).toBeLessThan(largestPlan);
  });
});

describe("a plan that somebody changed by hand", () => {
  const data = formatCommittedPlan(planOf(2, 5));

  it.each([
    [{ format: "2" }, 'format: expected 1, found "2": a newer version wrote it'],
    [{ blocks: "node-1\n" }, 'blocks, line 1: expected NODE UID BLOCK[,BLOCK] [gone=TIME], found "node-1"'],
    [{ blocks: `${data["blocks"]}a b 10.0.0.0/99\n` }, "blocks, line 3: "],
    [{ blocks: "a b 10.0.0.0/24 gone=never" }, "blocks, line 1: "],
    [{ cidr: "10.0.0.0", "per-node": "24" }, "--cidr: "],
  ])("%j is refused: %s", (change, words) => {
    expect(() => parseCommittedPlan({ ...data, ...change })).toThrow(words);
  });

  it("may have lines in any order, and empty ones", () => {
    const lines = (data["blocks"] ?? "").split("\n").toReversed().join("\n\n");
    const plan = parseCommittedPlan({ ...data, blocks: lines });
    expect(formatCommittedPlan(plan)).toEqual(data);
  });
});
