import { describe, expect, it } from "vitest";
import { findAll } from "../../src/survey/findings.ts";
import { podAt, surveyOf } from "./parts.ts";

const net1 = { name: "default/net1", key: "k", plugin: "kube-node" as const };

describe("findings", () => {
  it("none in a cluster that is well", () => {
    const survey = surveyOf(
      { a: { podCIDRs: "10.0.0.0/24", k: "172.16.0.0/24" }, b: { podCIDRs: "10.0.1.0/24" } },
      [podAt("10.0.0.2", "a"), podAt("10.0.1.2", "b"), podAt("172.16.0.2", "a", { network: net1.name })],
      { networks: [net1], serviceCIDRs: ["10.96.0.0/16"] },
    );
    expect(findAll(survey, 90)).toEqual({ findings: [], notes: [] });
  });

  it("malformed annotations and overlaps, with the nodes that they are about", () => {
    const survey = surveyOf({ a: { k: "10.0.0.0/33" }, b: { l: "10.1.0.0/24" }, c: { l: "10.1.0.0/25" } });
    expect(findAll(survey, 90).findings).toMatchObject([
      { check: "malformed", subjects: ["node/a"], key: "k" },
      { check: "overlap", subjects: ["node/c", "node/b"], key: "l" },
    ]);
  });

  it("one address of two pods: in one network, or in two that get theirs by one key; else it is none", () => {
    const duplicates = (...networks: string[]) => {
      const pods = networks.map((network, i) => podAt("172.16.0.2", "a", { network, pod: `p${i}` }));
      const known = [net1, { ...net1, name: "default/net2" }, { ...net1, name: "default/net3", key: "l" }];
      const survey = surveyOf({ a: { k: "172.16.0.0/24", l: "172.16.0.0/24" } }, pods, { networks: known });
      return findAll(survey, 90).findings.filter(({ check }) => check === "duplicate");
    };
    expect(duplicates("default/net1", "default/net1")).toEqual([
      {
        check: "duplicate",
        subjects: ["default/p0", "default/p1"],
        message: "172.16.0.2 (default/net1) is held by default/p0 on a and default/p1 on a",
      },
    ]);
    expect(duplicates("default/net1", "default/net2")).toHaveLength(1);
    expect(duplicates("default/net1", "default/net3")).toEqual([]);
  });

  it("an address outside of its node's ranges, though another node has it", () => {
    const inside = [podAt("10.0.0.2", "a"), podAt("10.0.0.3", "a")];
    const survey = surveyOf({ a: { podCIDRs: "10.0.0.0/24" }, b: { podCIDRs: "10.0.1.0/24" } }, [
      ...inside,
      podAt("10.0.0.9", "b"),
    ]);
    expect(findAll(survey, 90).findings).toEqual([
      {
        check: "outside",
        subjects: ["default/pod-10-0-0-9", "node/b"],
        message: "10.0.0.9 of default/pod-10-0-0-9 (pod network) lies outside of any range of b",
      },
    ]);
  });

  it("an address of a network whose annotation its node has no longer", () => {
    const survey = surveyOf(
      { a: { podCIDRs: "10.0.0.0/24" } },
      [podAt("10.0.0.7", "a", { network: net1.name })],
      { networks: [net1] },
    );
    expect(findAll(survey, 90).findings).toMatchObject([{ check: "outside", key: "k" }]);
  });

  it("no address of a network, a family or a node that we know no ranges of", () => {
    const pods = [
      podAt("10.0.0.2", "a"),
      podAt("fd00::2", "a"),
      podAt("10.9.9.9", "gone"),
      podAt("1.2.3.4", "a", { network: "x/other" }),
    ];
    expect(findAll(surveyOf({ a: { podCIDRs: "10.0.0.0/24" } }, pods), 90)).toEqual({
      findings: [],
      notes: [],
    });
  });

  it("leaves the pod network alone where another IPAM plugin seems to give its addresses, and says so", () => {
    const pods = [1, 2, 3].map((i) => podAt(`192.168.0.${i}`, "a"));
    const { findings, notes } = findAll(
      surveyOf({ a: { podCIDRs: "10.0.0.0/24" } }, [podAt("10.0.0.2", "a"), ...pods]),
      90,
    );
    expect(findings).toEqual([]);
    expect(notes).toEqual([expect.stringContaining("1 of its 4 addresses lie in their nodes' ranges")]);
  });

  it("ranges that are nearly full, from the percentage on", () => {
    const pods = [2, 3, 4].map((i) => podAt(`10.0.0.${i}`, "a"));
    const survey = surveyOf({ a: { podCIDRs: "10.0.0.0/29" } }, pods);
    expect(findAll(survey, 61).findings).toEqual([]);
    expect(findAll(survey, 60).findings).toMatchObject([
      { check: "nearly-full", message: expect.stringContaining("3 of 5 addresses are used") },
    ]);
  });
});
