import { describe, expect, it } from "vitest";
import { type Block, draftBlock, readBlock } from "../../src/pool/block.ts";
import type { Pool } from "../../src/pool/pool.ts";
import { projectBlocks } from "../../src/pool/project-blocks.ts";
import { readPool } from "../../src/pool/read-pool.ts";

const read = readPool({
  kind: "IPPool",
  name: "a",
  uid: "pool",
  spec: { subnet: "10.0.0.0/24", perNodeBlockSize: 16 },
});
const pool = (read as { pool: Pool }).pool;

function block(index: number, nodeUID: string, more: Partial<Block> = {}): Block {
  const drafted = readBlock(draftBlock(pool, { name: "node-1", uid: nodeUID }, BigInt(index)));
  return { ...(drafted as Block), ...more };
}

describe("a projection", () => {
  it("is for one Node by its UID: the blocks of another one of that name are closing, said so or not", () => {
    const { nodeUID, blocks } = projectBlocks(pool, "second", [block(1, "second"), block(0, "first")]);
    expect(nodeUID).toBe("second");
    expect(blocks.map(({ name, closing }) => [name, closing])).toEqual([
      ["ippool.a.0", true],
      ["ippool.a.1", undefined],
    ]);
  });

  it("is in order of indexes as numbers", () => {
    const { blocks } = projectBlocks(pool, "u", [block(10, "u"), block(9, "u"), block(2, "u")]);
    expect(blocks.map(({ name }) => name)).toEqual(["ippool.a.2", "ippool.a.9", "ippool.a.10"]);
  });

  it("holds for no longer than any of its blocks was made for, whatever the pool says by now", () => {
    const heldFor = (now: number, made?: number) =>
      projectBlocks({ ...pool, holdsFor: now }, "u", [
        block(0, "u", { holdsFor: made ?? now }),
        block(1, "u", { holdsFor: now }),
      ]).holdsFor;
    expect([heldFor(60), heldFor(60, 30), heldFor(30, 60)]).toEqual([60, 30, 30]);
  });

  it("leaves out what makes no sense, or is of the other family", () => {
    const v6 = { family: 6 as const, value: 1n };
    const odd = [block(0, "u", { span: undefined }), block(1, "u", { span: { first: v6, last: v6 } })];
    expect(projectBlocks(pool, "u", odd).blocks).toEqual([]);
  });
});
