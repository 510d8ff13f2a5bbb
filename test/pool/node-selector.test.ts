import { describe, expect, it } from "vitest";
import { selectNodes } from "../../src/pool/node-selector.ts";

type Selector = NonNullable<Parameters<typeof selectNodes>[0]>;
type Term = Selector["nodeSelectorTerms"][number];
type Requirement = NonNullable<Term["matchExpressions"]>[number];

const node = {
  name: "node-1",
  labels: { rack: "r1", slot: "7", note: "", big: "9223372036854775808", signed: "+12" },
};

function selects(...nodeSelectorTerms: Term[]): boolean {
  return selectNodes({ nodeSelectorTerms })(node);
}

describe("a node selector", () => {
  it("selects every node where there is none", () => {
    expect(selectNodes(undefined)(node)).toBe(true);
  });

  it.each<[string, Requirement["operator"], string[] | undefined, boolean]>([
    ["rack", "In", ["r0", "r1"], true],
    ["rack", "In", ["r2"], false],
    ["none", "In", ["r1"], false],
    ["note", "In", [""], true],
    ["rack", "NotIn", ["r1"], false],
    ["rack", "NotIn", ["r2"], true],
    ["none", "NotIn", ["r1"], true],
    ["rack", "Exists", undefined, true],
    ["note", "Exists", undefined, true],
    ["none", "Exists", undefined, false],
    ["toString", "Exists", undefined, false],
    ["rack", "DoesNotExist", undefined, false],
    ["none", "DoesNotExist", undefined, true],
    ["constructor", "DoesNotExist", undefined, true],
    ["slot", "Gt", ["6"], true],
    ["slot", "Gt", ["7"], false],
    ["slot", "Gt", ["10"], false],
    ["slot", "Lt", ["10"], true],
    ["slot", "Lt", ["7"], false],
    ["slot", "Gt", ["-8"], true],
    ["signed", "Gt", ["11"], true],
    ["none", "Gt", ["0"], false],
    ["none", "Lt", ["0"], false],
    ["rack", "Lt", ["9"], false],
    ["note", "Lt", ["9"], false],
    ["big", "Gt", ["0"], false],
  ])("%s %s %s: %s", (key, operator, values, expected) => {
    expect(selects({ matchExpressions: [{ key, operator, ...(values && { values }) }] })).toBe(expected);
  });

  it("takes terms as alternatives, a term's requirements together, and a term without any as none", () => {
    const good: Requirement = { key: "rack", operator: "In", values: ["r1"] };
    const bad: Requirement = { key: "rack", operator: "In", values: ["r2"] };
    const me = { key: "metadata.name" as const, operator: "In" as const, values: ["node-1"] };
    const notMe = { ...me, operator: "NotIn" as const };
    expect(selects({ matchExpressions: [good, bad] })).toBe(false);
    expect(selects({ matchExpressions: [bad] }, { matchExpressions: [good] })).toBe(true);
    expect(selects({})).toBe(false);
    expect(selects({ matchExpressions: [], matchFields: [] })).toBe(false);
    expect(selects()).toBe(false);
    expect(selects({ matchFields: [me] })).toBe(true);
    expect(selects({ matchFields: [notMe] })).toBe(false);
    expect(selects({ matchFields: [{ ...notMe, values: ["node-2"] }], matchExpressions: [good] })).toBe(true);
    expect(selects({ matchFields: [me], matchExpressions: [bad] })).toBe(false);
  });
});
