import { formatIp } from "../address/ip.ts";
import type { Block, Territory } from "./territory.ts";
import { listBlocks } from "./words.ts";

/** What is wrong with a territory, one sentence each; `blocks` are those that it is about. */
export type Trouble = {
  readonly kind: "malformed" | "conflict" | "stray";
  readonly words: string;
  readonly blocks: Block[];
};

export function findTroubles({ faults, conflicts, strays }: Territory): Trouble[] {
  return [
    ...faults.map(({ node, words }) => ({
      kind: "malformed" as const,
      words: `${node}: ${words}`,
      blocks: [],
    })),
    ...conflicts.map((conflict) => ({
      kind: "conflict" as const,
      words: `${listBlocks(conflict.blocks)} overlap`,
      blocks: conflict.blocks,
    })),
    ...strays.map(({ address, pod }) => ({
      kind: "stray" as const,
      words: `${pod} has ${formatIp(address)}, which is in no node's range`,
      blocks: [],
    })),
  ];
}
