import type { JsonObject } from "../../../src/text/json.ts";

const apiVersion = "ipam.kube-node.io/v1alpha1";
const time = "2026-01-01T00:00:00Z";

const common = {
  exclusions: [{ startIP: "10.1.0.40", endIP: "10.1.0.41" }],
  perNodeExclusions: [{ startIndex: 3, endIndex: 4 }],
  nodeSelector: {
    nodeSelectorTerms: [
      {
        matchExpressions: [{ key: "rack", operator: "In", values: ["a"] }],
        matchFields: [{ key: "metadata.name", operator: "NotIn", values: ["b"] }],
      },
    ],
  },
  defaultGateway: true,
  routes: [{ dst: "10.9.0.0/16" }],
  perNodeReserved: { first: 1, last: 1 },
  blockReleaseDelay: "24h",
  blockHoldTime: "12h",
  allowOverlap: true,
};

type Whole = { apiVersion: string; kind: string; metadata: { name: string }; spec: JsonObject };

/** One good object of each kind that has every field there is. */
export const wholeObjects: Record<"IPPool" | "CIDRPool" | "NodeBlock", Whole> = {
  IPPool: {
    ...{ apiVersion, kind: "IPPool", metadata: { name: "whole" } },
    spec: { subnet: "10.1.0.0/24", perNodeBlockSize: 16, gateway: "10.1.0.1", ...common },
  },
  CIDRPool: {
    ...{ apiVersion, kind: "CIDRPool", metadata: { name: "whole" } },
    spec: {
      ...{ cidr: "10.1.0.0/24", perNodeNetworkPrefix: 28, gatewayIndex: 1 },
      staticAllocations: [{ prefix: "10.1.0.16/28", nodeName: "a", gateway: "10.1.0.20" }],
      ...common,
    },
  },
  NodeBlock: {
    ...{ apiVersion, kind: "NodeBlock", metadata: { name: "ippool.whole.3" } },
    spec: {
      pool: { kind: "IPPool", name: "whole", uid: "u1" },
      ...{ index: "3", first: "10.1.0.49", last: "10.1.0.64", nodeName: "worker-1", nodeUID: "u2" },
      ...{ holdsFor: 43_200, closing: true },
    },
  },
};

const poolStatus = (first: string): JsonObject => ({
  observedGeneration: 1,
  grid: { first, size: "16" },
  conditions: [
    {
      ...{ type: "Ready", status: "True", reason: "Valid", message: "good" },
      ...{ lastTransitionTime: time, observedGeneration: 1 },
    },
  ],
  blocks: { total: "15", given: 3, closing: 0, free: "12" },
  addresses: { total: "42", used: 5, free: "37" },
});

/** Their status, as whole. */
export const wholeStatus: Record<keyof typeof wholeObjects, JsonObject> = {
  IPPool: poolStatus("10.1.0.1"),
  CIDRPool: poolStatus("10.1.0.0"),
  NodeBlock: { used: 3, drained: true, seenAt: time, nodeGoneAt: time },
};
