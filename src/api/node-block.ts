import { z } from "zod";
import { canonicalAddress, decimal, moment, objectName } from "./fields.ts";
import { poolKinds } from "./pool-kind.ts";
import { validations } from "./validation.ts";

const fixed = validations({
  rule: "self == oldSelf",
  message: "a block is what it was made as: delete it and make another one",
});

const spec = z
  .strictObject({
    pool: z
      .strictObject({
        kind: z.enum(poolKinds).describe("IPPool or CIDRPool."),
        name: z.string().min(1).max(63).describe("Its name."),
        uid: z.string().max(64).describe("Its UID: a pool made again under that name is another one."),
      })
      .meta(fixed)
      .describe("The pool that it is a block of."),
    index: decimal.meta(fixed).describe("Its place on the pool's grid, from 0."),
    first: canonicalAddress.describe("The first of all its addresses, exclusions too."),
    last: canonicalAddress.describe("The last of them."),
    nodeName: objectName.min(1).meta(fixed).describe("The Node that it is for."),
    nodeUID: z
      .string()
      .max(64)
      .meta(fixed)
      .describe("Its UID: a Node made again under that name is another one."),
    holdsFor: z
      .int()
      .min(0)
      .meta(fixed)
      .exactOptional()
      .describe(
        "Seconds that its node uses it at most without a word of the API server. A pool's shorter time counts at once, a longer one for new blocks.",
      ),
    closing: z
      .boolean()
      .exactOptional()
      .describe("To be given back: no pod gets an address of it any more. Once true, it stays so."),
  })
  .meta(
    validations(
      {
        rule: "self.first == oldSelf.first && self.last == oldSelf.last",
        message: "a block's addresses are what they were made as: delete it and make another one",
      },
      {
        rule: "!isIP(self.first) || !isIP(self.last) || ip(self.first).family() == ip(self.last).family()",
        message: "first and last are of different families",
        fieldPath: ".last",
      },
      {
        rule: "!oldSelf.?closing.orValue(false) || self.?closing.orValue(false)",
        message: "a block that closes stays so: its node may have stopped using it already",
        fieldPath: ".closing",
      },
    ),
  );

const status = z.strictObject({
  used: z.int().min(0).exactOptional().describe("Addresses that pods hold, as its node's agent last said."),
  drained: z
    .boolean()
    .exactOptional()
    .describe(
      "Of a closing block: the agent saw it closing for longer than any call lives, and nothing is leased out of it.",
    ),
  seenAt: moment.exactOptional().describe("When the agent wrote this."),
  nodeGoneAt: moment
    .exactOptional()
    .describe(
      "Since when its Node (by UID) is known to be gone, as the controller says; unset again where it came back.",
    ),
});

/** The annotation of a NodeBlock by which a person insists on deleting it in use (examples/controller/base/keep-blocks-in-use.yaml). */
export const deleteAnywayKey = "ipam.kube-node.io/delete-anyway";

/** Spec and status, with what the API server checks of them. */
export const nodeBlockShapes = { spec, status };

export type NodeBlockSpec = z.infer<typeof spec>;

/** Written by the node's agent, seldom; but for `nodeGoneAt`, which is the controller's. */
export type NodeBlockStatus = z.infer<typeof status>;

/**
 * `NodeBlock` (ipam.kube-node.io/v1alpha1, cluster-scoped): one place on a pool's grid, claimed for one Node by being created. Addresses are
 * canonical text; an index is a decimal number of any length, and so a string.
 */
export type NodeBlock = {
  apiVersion: string;
  kind: "NodeBlock";
  metadata: {
    name: string;
    uid?: string;
    resourceVersion?: string;
    creationTimestamp?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec: NodeBlockSpec;
  status?: NodeBlockStatus;
};
