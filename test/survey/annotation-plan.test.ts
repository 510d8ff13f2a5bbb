import { describe, expect, it } from "vitest";
import { overlapsOwnPodCIDRs, planAnnotation } from "../../src/survey/annotation-plan.ts";
import { describeConflict } from "../../src/survey/conflicts.ts";
import { parseRanges } from "../../src/survey/node-ranges.ts";
import { podAt, surveyOf } from "./parts.ts";

const wanted = (text: string) => ({ key: "k", text, ranges: parseRanges(text) });
const nodes = { a: { k: "10.0.0.0/24", podCIDRs: "10.9.0.0/24" }, b: { k: "10.0.1.0/24" }, c: {} };

describe("the plan of an annotation", () => {
  it("says of each node what it has and what it would have", () => {
    const { changes, conflicts } = planAnnotation(surveyOf(nodes), new Set(["a", "c"]), {
      key: "k",
      ranges: [],
    });
    expect(changes).toMatchObject([{ node: { name: "a" }, before: "10.0.0.0/24" }, { node: { name: "c" } }]);
    expect(changes[1]).not.toHaveProperty("before");
    expect(conflicts).toEqual([]);
  });

  it("compares with what will be there: not with what is replaced", () => {
    const plan = (node: string, text: string) =>
      planAnnotation(surveyOf(nodes), new Set([node]), wanted(text)).conflicts.map(describeConflict);
    expect(plan("a", "10.0.0.0/25")).toEqual([]);
    expect(plan("a", "10.0.0.0/23")).toEqual(["10.0.0.0/23 (k of a) overlaps with 10.0.1.0/24 (k of b)"]);
    expect(plan("b", "10.9.0.0/25")).toEqual([
      "10.9.0.0/25 (k of b) overlaps with 10.9.0.0/24 (spec.podCIDRs of a)",
    ]);
  });

  it("names addresses that would be outside: those that the key gives now, and of its networks; no other ones", () => {
    const pods = [
      podAt("10.0.0.2", "a"),
      podAt("10.0.0.200", "a", { network: "ns/n" }),
      podAt("10.0.7.7", "a", { network: "ns/n" }),
      podAt("10.9.0.2", "a"),
      podAt("10.0.1.200", "b", { network: "ns/n" }),
    ];
    const survey = surveyOf(nodes, pods, { networks: [{ name: "ns/n", key: "k", plugin: "kube-node" }] });
    const strays = (text?: string) =>
      planAnnotation(survey, new Set(["a"]), text ? wanted(text) : { key: "k", ranges: [] }).strays.map(
        ({ address }) => address,
      );
    expect(strays("10.0.0.0/25")).toEqual(["10.0.0.200", "10.0.7.7"]);
    expect(strays("10.0.0.0/21")).toEqual([]);
    expect(strays()).toEqual(["10.0.0.2", "10.0.0.200", "10.0.7.7"]);
  });

  it("knows where a range is of the node's own podCIDRs", () => {
    const overlap = (text: string) => overlapsOwnPodCIDRs(surveyOf(nodes), new Set(["a", "b"]), wanted(text));
    expect([overlap("10.9.0.128/25"), overlap("10.8.0.0/24")]).toEqual([["a"], []]);
  });
});
