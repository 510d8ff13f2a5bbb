/** A block that was seen closing: since when (seconds of uptime), and how many looks in a row have found nothing of it. */
export type ClosingBlock = { since: number; clean: number };

/** By their names. */
export type ClosingBlocks = ReadonlyMap<string, ClosingBlock>;

/** Looks that have to find nothing. */
const looksNeeded = 2;

/** What is closing now: time goes on for what was closing before, and begins for what wasn't. */
export function followClosing(before: ClosingBlocks, names: readonly string[], now: number): ClosingBlocks {
  return new Map(names.map((name) => [name, before.get(name) ?? { since: now, clean: 0 }]));
}

/** Whether no call is left that began when pods still got addresses of it. */
export function isSettled({ since }: ClosingBlock, now: number, longestCall: number): boolean {
  return now - since > longestCall;
}

/** One look more, and whether that was enough. What was found begins it anew. */
export function countLook(
  block: ClosingBlock,
  isClean: boolean,
): { block: ClosingBlock; isDrained: boolean } {
  const clean = isClean ? block.clean + 1 : 0;
  return { block: { ...block, clean }, isDrained: clean >= looksNeeded };
}
