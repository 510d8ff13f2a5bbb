import { z } from "zod";
import { parseCidr } from "../address/cidr.ts";
import { parseIp } from "../address/ip.ts";
import type { JsonObject } from "../text/json.ts";
import { didYouMean } from "../text/nearest.ts";
import type { PoolKind } from "./pool-kind.ts";

/** What is wrong at a place in an object, as a path of keys and indexes. */
export type PlacedFault = { path: (string | number)[]; words: string };

const cidr = z.string().refine((text) => parseCidr(text) !== undefined, {
  error: "expected a network such as 10.1.0.0/16 or fd00:1::/48",
});
const address = z.string().refine((text) => parseIp(text) !== undefined, { error: "expected an IP address" });
const index = z.int().min(0);

const requirement = z.strictObject({
  key: z.string(),
  operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]),
  values: z.array(z.string()).optional(),
});
const term = z.strictObject({
  matchExpressions: z.array(requirement).optional(),
  matchFields: z
    .array(requirement.extend({ key: z.literal("metadata.name", { error: "expected metadata.name" }) }))
    .optional(),
});

const common = {
  exclusions: z.array(z.strictObject({ startIP: address, endIP: address })).optional(),
  perNodeExclusions: z.array(z.strictObject({ startIndex: index, endIndex: index })).optional(),
  nodeSelector: z.strictObject({ nodeSelectorTerms: z.array(term).min(1) }).optional(),
  defaultGateway: z.boolean().optional(),
  routes: z.array(z.strictObject({ dst: cidr })).optional(),
  /** Addresses at the ends of each block that no pod gets. */
  perNodeReserved: z.strictObject({ first: index.optional(), last: index.optional() }).optional(),
  /** How long the block of a Node that is gone is kept: Go's durations, "24h" where nothing is said. */
  blockReleaseDelay: z.string().optional(),
  /** For how long a node uses its block without hearing from the API server: less than that, "12h" where nothing is said. */
  blockHoldTime: z.string().optional(),
  /** Insists on a pool that overlaps with another one, with podCIDRs, services or annotations. */
  allowOverlap: z.boolean().optional(),
};

const ipPool = z.strictObject({
  subnet: cidr,
  perNodeBlockSize: z.int().min(1),
  gateway: address.optional(),
  ...common,
});

const staticAllocation = z.strictObject({
  prefix: cidr,
  nodeName: z.string().optional(),
  gateway: address.optional(),
});

const cidrPool = z.strictObject({
  cidr,
  perNodeNetworkPrefix: z.int().min(1).max(128),
  gatewayIndex: index.optional(),
  staticAllocations: z.array(staticAllocation).optional(),
  ...common,
});

export type IPPoolSpec = z.infer<typeof ipPool>;
export type CIDRPoolSpec = z.infer<typeof cidrPool>;

const schemas = { IPPool: ipPool, CIDRPool: cidrPool };

/** A spec in the right shape, or what is wrong with its keys and the kinds of its values. Null means absent, as in Kubernetes. */
export function readPoolShape(
  kind: PoolKind,
  spec: JsonObject,
): { spec: IPPoolSpec | CIDRPoolSpec } | { faults: PlacedFault[] } {
  const present = Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== null));
  const { success, data, error } = schemas[kind].safeParse(present);
  return success ? { spec: data } : { faults: error.issues.flatMap((issue) => toFaults(issue, kind)) };
}

function toFaults(issue: z.core.$ZodIssue, kind: PoolKind): PlacedFault[] {
  const path = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
  if (issue.code !== "unrecognized_keys")
    return [{ path, words: issue.message.replace(/^Invalid input: /, "") }];
  const known = path.length === 0 ? Object.keys(schemas[kind].shape) : [];
  return issue.keys.map((key) => ({ path: [...path, key], words: `unknown key${didYouMean(key, known)}` }));
}
