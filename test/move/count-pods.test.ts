import fc from "fast-check";
import { expect, it } from "vitest";
import { countPods } from "../../src/move/count-pods.ts";
import { draftBlock } from "../../src/pool/block.ts";
import type { Pool } from "../../src/pool/pool.ts";
import { readPool } from "../../src/pool/read-pool.ts";

const spec = { subnet: "10.0.0.0/24", perNodeBlockSize: 8 };
const { pool } = readPool({ kind: "IPPool", name: "a", uid: "u", spec }) as { pool: Pool };

it("pods that stay are those with an address of their own node's blocks; those with another node's are said", () => {
  const some = fc.uniqueArray(fc.nat(8));
  const places = fc.array(fc.tuple(fc.nat(90), fc.nat(8)));
  fc.assert(
    fc.property(some, places, (indexes, pods) => {
      const blocks = indexes.map((index) => draftBlock(pool, { name: `n${index}`, uid: "" }, BigInt(index)));
      const found = countPods(
        blocks,
        pods.map(([at, node]) => ({ address: `10.0.0.${at}`, node: `n${node}`, namespace: "d", pod: "p" })),
      );
      const owned = pods.filter(([at]) => at > 0 && indexes.includes(Math.floor((at - 1) / 8)));
      const stay = owned.filter(([at, node]) => Math.floor((at - 1) / 8) === node).length;
      expect(found.stay).toBe(stay);
      expect(found.elsewhere.length).toBe(owned.length - stay);
    }),
  );
});
