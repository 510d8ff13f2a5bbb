import { z } from "zod";
import type { JsonObject } from "../text/json.ts";
import { didYouMean } from "../text/nearest.ts";
import { address, cidr, index } from "./fields.ts";
import { nodeSelector } from "./node-selector-shape.ts";
import type { PoolKind } from "./pool-kind.ts";
import { goDuration } from "./pool-times.ts";
import { cidrPoolValidations, ipPoolValidations } from "./pool-validations.ts";
import { listMap, validations } from "./validation.ts";

const durationWords = "expected a time as Go writes it, such as 90s, 30m or 24h0m0s";

/** What is wrong at a place in an object, as a path of keys and indexes. */
export type PlacedFault = { path: (string | number)[]; words: string };

const duration = z
  .string()
  .max(24)
  .refine((text) => goDuration.test(text), { error: durationWords })
  .meta(validations({ rule: `self.matches('${goDuration.source}')`, message: durationWords }));

const indexRange = z
  .strictObject({
    startIndex: index.describe("The first one; 0 is the block's first address."),
    endIndex: index.describe("The last one."),
  })
  .meta(
    validations({
      rule: "self.startIndex <= self.endIndex",
      message: "the end comes before the start: exchange them",
      fieldPath: ".endIndex",
    }),
  );

const exclusion = z
  .strictObject({ startIP: address.describe("The first one."), endIP: address.describe("The last one.") })
  .meta(
    validations({
      rule: "!isIP(self.startIP) || !isIP(self.endIP) || ip(self.startIP).family() == ip(self.endIP).family()",
      message: "start and end are of different families",
      fieldPath: ".endIP",
    }),
  );

const common = {
  exclusions: z
    .array(exclusion)
    .max(1000)
    .optional()
    .describe(
      "Addresses of the pool that no pod gets. They may overlap; a block is not given where no address is left of it.",
    ),
  perNodeExclusions: z
    .array(indexRange)
    .max(256)
    .optional()
    .describe("Addresses of each block that no pod gets, by their index in the block."),
  nodeSelector: nodeSelector.optional().describe("The Nodes that get a block: all, where this isn't set."),
  defaultGateway: z
    .boolean()
    .optional()
    .describe("The gateway is the pods' default gateway. false where it isn't set."),
  routes: z
    .array(z.strictObject({ dst: cidr.describe("The network, of the pool's family.") }))
    .max(256)
    .optional()
    .describe("Networks that pods reach through the gateway."),
  perNodeReserved: z
    .strictObject({
      first: index.optional().describe("How many at the block's beginning. 0 where it isn't set."),
      last: index.optional().describe("How many at the block's end. 0 where it isn't set."),
    })
    .optional()
    .describe(
      "Addresses at the ends of each block that no pod gets, counted among those that pods could have.",
    ),
  blockReleaseDelay: duration
    .optional()
    .describe(
      "How long the block of a Node that is gone is kept before another one may get it. 24h where it isn't set.",
    ),
  blockHoldTime: duration
    .optional()
    .describe(
      "For how long a node gives addresses of its block without hearing from the API server: less than blockReleaseDelay, by 4 minutes, which a call may take. 12h where it isn't set.",
    ),
  allowOverlap: z
    .boolean()
    .optional()
    .describe(
      "Insists on a pool that overlaps with another one, with podCIDRs, with Services' addresses or annotations. false where it isn't set.",
    ),
};

const ipPool = z
  .strictObject({
    subnet: cidr.describe("The network that all nodes share; pods get addresses with its prefix length."),
    perNodeBlockSize: z
      .int()
      .min(1)
      .describe(
        "How many addresses each node gets. Blocks begin behind the network's own address, one after the other.",
      ),
    gateway: address.optional().describe("The network's gateway, inside of subnet. No pod gets it."),
    ...common,
  })
  .meta(ipPoolValidations);

const staticAllocation = z
  .strictObject({
    prefix: cidr.describe(
      "The network that is kept for the node, inside of cidr and of the nodes' prefix length.",
    ),
    nodeName: z.string().max(253).optional().describe("The Node that gets it; none, where this isn't set."),
    gateway: address.optional().describe("Its gateway, in the place of the one that gatewayIndex says."),
  })
  .meta(
    validations(
      {
        rule: "!isCIDR(self.prefix) || cidr(self.prefix) == cidr(self.prefix).masked()",
        message: "host bits are set: write the network's first address, such as 10.1.1.0/24",
        fieldPath: ".prefix",
      },
      {
        rule: "!has(self.gateway) || !isIP(self.gateway) || !isCIDR(self.prefix) || cidr(self.prefix).containsIP(self.gateway)",
        message: "expected an address inside of prefix",
        fieldPath: ".gateway",
      },
    ),
  );

const cidrPool = z
  .strictObject({
    cidr: cidr.describe("The network that is cut into one network a node."),
    perNodeNetworkPrefix: z.int().min(1).max(128).describe("The prefix length of each node's network."),
    gatewayIndex: index
      .optional()
      .describe(
        "Which address of a node's network is its gateway; 0 is the network's first. None, where this isn't set.",
      ),
    staticAllocations: z
      .array(staticAllocation)
      .max(1000)
      .optional()
      .meta(listMap("prefix"))
      .describe("Networks that are kept for a node, or for nobody."),
    ...common,
  })
  .meta(cidrPoolValidations);

export type IPPoolSpec = z.infer<typeof ipPool>;
export type CIDRPoolSpec = z.infer<typeof cidrPool>;

/** The shape of a pool's spec, with what the API server checks of it. */
export const poolSpecShapes = { IPPool: ipPool, CIDRPool: cidrPool };

/** A spec in the right shape, or what is wrong with its keys and the kinds of its values. Null means absent, as in Kubernetes. */
export function readPoolShape(
  kind: PoolKind,
  spec: JsonObject,
): { spec: IPPoolSpec | CIDRPoolSpec } | { faults: PlacedFault[] } {
  const present = Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== null));
  const { success, data, error } = poolSpecShapes[kind].safeParse(present);
  return success ? { spec: data } : { faults: error.issues.flatMap((issue) => toFaults(issue, kind)) };
}

function toFaults(issue: z.core.$ZodIssue, kind: PoolKind): PlacedFault[] {
  const path = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
  if (issue.code !== "unrecognized_keys")
    return [{ path, words: issue.message.replace(/^Invalid input: /, "") }];
  const known = path.length === 0 ? Object.keys(poolSpecShapes[kind].shape) : [];
  return issue.keys.map((key) => ({ path: [...path, key], words: `unknown key${didYouMean(key, known)}` }));
}
