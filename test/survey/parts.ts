import { type NodeFacts, readAnnotation, readPodCIDRs } from "../../src/survey/node-ranges.ts";
import { type PodAddress, podNetwork } from "../../src/survey/pod-address.ts";
import { chooseKeys } from "../../src/survey/range-keys.ts";
import type { Survey } from "../../src/survey/survey.ts";

/** A survey of nodes by name: their annotations, and podCIDRs under `podCIDRs`. */
export function surveyOf(
  nodes: Record<string, Record<string, string>>,
  pods: PodAddress[] = [],
  rest: Partial<Survey> = {},
): Survey {
  const facts = Object.entries(nodes).map(
    ([name, { podCIDRs, ...annotations }]): NodeFacts => ({
      name,
      uid: `uid-of-${name}`,
      resourceVersion: "1",
      podCIDRs: podCIDRs?.split(",") ?? [],
      annotations,
    }),
  );
  const ranges = facts.flatMap((node) => [
    ...[readPodCIDRs(node)].filter((one) => one !== undefined),
    ...Object.entries(node.annotations).map(([key, text]) => readAnnotation(node.name, key, text)),
  ]);
  return {
    nodes: facts,
    ranges,
    keys: chooseKeys([], []).reasons,
    networks: [],
    pods,
    serviceCIDRs: [],
    notes: [],
    ...rest,
  };
}

export function podAt(address: string, node: string, more: Partial<PodAddress> = {}): PodAddress {
  const pod = `pod-${address.replace(/[.:]+/g, "-")}`;
  return {
    address,
    node,
    namespace: "default",
    pod,
    network: podNetwork,
    since: "2026-01-02T03:04:05Z",
    ...more,
  };
}
