import { z } from "zod";
import { canonicalAddress, decimal, moment } from "./fields.ts";
import { listMap, validations } from "./validation.ts";

const count = z.int().min(0);

const grid = z
  .strictObject({
    first: canonicalAddress.describe("The first address of block 0."),
    size: decimal.describe("How many addresses each block has."),
  })
  .meta(
    validations({
      rule: "self == oldSelf",
      message: "the grid is frozen: its blocks are given by their index",
    }),
  );

const condition = z.strictObject({
  type: z.string().max(316).describe("Ready, so far."),
  status: z.enum(["True", "False", "Unknown"]).describe("Whether it is so."),
  reason: z
    .string()
    .max(1024)
    .describe(
      "A word for programs: Valid, InvalidSpec, NoFreeRanges, NoFreePrefixes, Overlap, Deleting, GridMoved or NotRebuilt.",
    ),
  message: z.string().max(32768).describe("A sentence for people."),
  lastTransitionTime: moment.describe("Since when status is what it is."),
  observedGeneration: count.exactOptional().describe("The metadata.generation that this is about."),
});

/** What the controller says of a pool. Counts may have more digits than a number holds, and are decimal text then. */
export const poolStatusShape = z
  .strictObject({
    observedGeneration: count.exactOptional().describe("The metadata.generation that this is about."),
    grid: grid.exactOptional().describe("Where the blocks lie; frozen before the first one is given."),
    conditions: z
      .array(condition)
      .max(16)
      .exactOptional()
      .meta(listMap("type"))
      .describe("What is good or wrong with the pool."),
    blocks: z
      .strictObject({
        total: decimal.describe("All that the pool has."),
        given: count.describe("Those that Nodes have."),
        closing: count.describe("Those of them that are being taken back."),
        free: decimal.describe("Those that are still to be given."),
      })
      .exactOptional()
      .describe("The pool's blocks, counted."),
    addresses: z
      .strictObject({
        total: decimal.describe("All of them."),
        used: count.describe("Those that pods hold, as the agents last said."),
        free: decimal.describe("The others."),
      })
      .exactOptional()
      .describe("Of the given blocks' addresses for pods, counted."),
  })
  .meta(
    validations({
      rule: "!has(oldSelf.grid) || has(self.grid)",
      message: "the grid is frozen: its blocks are given by their index",
      fieldPath: ".grid",
    }),
  );

export type PoolStatus = z.infer<typeof poolStatusShape>;

/** metav1.Condition; the one type so far is `Ready`. */
export type PoolCondition = z.infer<typeof condition>;
