import { describe, expect, it } from "vitest";
import { type Block, draftBlock, readBlock } from "../../src/pool/block.ts";
import { judgeNode } from "../../src/pool/judge-node.ts";
import type { Pool } from "../../src/pool/pool.ts";
import { readPool } from "../../src/pool/read-pool.ts";

const spec = { subnet: "10.0.0.0/24", perNodeBlockSize: 16 };
const { pool } = readPool({ kind: "IPPool", name: "a", uid: "pool", spec }) as { pool: Pool };
const node = { name: "node-1", uid: "node", labels: {} };

function block(index: number, more: Partial<Block> = {}): Block {
  return { ...(readBlock(draftBlock(pool, node, BigInt(index))) as Block), ...more };
}

describe("several blocks of one node", () => {
  const all = [block(1), block(2), block(3)];
  const closing = (order?: (a: Block, b: Block) => number) =>
    judgeNode(pool, node, all, order).close.map(({ block, why }) => `${block.index} ${why}`);

  it("the lowest stays, or the one that the caller puts first", () => {
    expect(closing()).toEqual(["2 one too many", "3 one too many"]);
    expect(closing((a, b) => Number(b.index - a.index))).toEqual(["2 one too many", "1 one too many"]);
  });

  it("one that serves nobody, or closes, doesn't count", () => {
    const outside = block(40);
    const verdict = judgeNode(pool, node, [block(1, { closing: true }), outside, block(2)]);
    expect(verdict).toMatchObject({
      close: [],
      doubtful: [{ block: outside, why: "outside" }],
      isServed: true,
    });
    expect(judgeNode(pool, node, [block(1, { closing: true }), outside]).isServed).toBe(false);
  });

  it("one whose pool or Node is another by now is to be given back, whatever else is odd", () => {
    const odd = [
      block(40, { nodeUID: "earlier" }),
      block(41, { pool: { kind: "IPPool", name: "a", uid: "x" } }),
    ];
    const { close, doubtful, isServed } = judgeNode(pool, node, odd);
    expect(close.map(({ why }) => why)).toEqual(["node replaced", "pool gone"]);
    expect([doubtful, isServed]).toEqual([[], false]);
  });
});
