import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { excludedForPodsKey, type NvPool, readNvPool } from "../../src/api/nv-ipam.ts";
import { type Exclusion, excludePods } from "../../src/move/exclude-pods.ts";
import { specOf } from "../../src/move/own-object.ts";
import { draftBlock, readBlock } from "../../src/pool/block.ts";
import type { Pool } from "../../src/pool/pool.ts";
import { readPool } from "../../src/pool/read-pool.ts";

const spec = { subnet: "10.0.0.0/24", perNodeBlockSize: 8, gateway: "10.0.0.1" };
const { pool } = readPool({ kind: "IPPool", name: "a", uid: "u", spec }) as { pool: Pool };
const blocks = [0n, 2n].flatMap(
  (index) => readBlock(draftBlock(pool, { name: `n${index}`, uid: "" }, index)) ?? [],
);
const last = (at: number) => `10.0.0.${at}`;
const podAt = (at: number) => ({ address: last(at), node: "n0", namespace: "default", pod: `p${at}` });
const nvPool = (exclusions: Exclusion[], forPods: Exclusion[] = []): NvPool =>
  readNvPool("IPPool", {
    metadata: { name: "a", annotations: { [excludedForPodsKey]: JSON.stringify(forPods) } },
    spec: { ...spec, exclusions: [...exclusions, ...forPods] },
  }) as NvPool;
const numbers = ({ startIP, endIP }: Exclusion) => {
  const [first, end] = [startIP, endIP].map((text) => Number(text.split(".")[3])) as [number, number];
  return Array.from({ length: end - first + 1 }, (_, i) => first + i);
};

describe("what is excluded for pods on the way back", () => {
  it("is each address that a living pod has in a block, once, beside what a person excludes; and goes with the pod", () => {
    const people = fc.uniqueArray(fc.nat(30), { maxLength: 4 });
    fc.assert(
      fc.property(people, fc.uniqueArray(fc.nat(40)), fc.uniqueArray(fc.nat(40)), (excluded, pods, later) => {
        const own = excluded.map((at) => ({ startIP: last(at), endIP: last(at) }));
        const inBlock = (at: number) => (at >= 1 && at <= 8) || (at >= 17 && at <= 24);
        const wanted = (some: number[]) =>
          some.filter((at) => inBlock(at) && !excluded.includes(at)).sort((a, b) => a - b);
        const first = excludePods(nvPool(own), pool, blocks, pods.map(podAt));
        expect(first.forPods.flatMap(numbers)).toEqual(wanted(pods));
        expect(first.all).toEqual([...own, ...first.forPods]);
        const marked = nvPool(own, first.forPods);
        const second = excludePods(marked, pool, blocks, later.map(podAt));
        expect(second.forPods.flatMap(numbers)).toEqual(wanted(later));
        // NodeBlocks are gone: pods that came since are nv-ipam's.
        const third = excludePods(marked, pool, [], later.map(podAt));
        expect(third.forPods.flatMap(numbers)).toEqual(wanted(later.filter((at) => pods.includes(at))));
        expect(specOf(marked)).toEqual({ ...spec, exclusions: own });
      }),
    );
  });

  it("never takes a block's last address: nv-ipam would take the block away", () => {
    const all = Array.from({ length: 8 }, (_, at) => podAt(at + 17));
    expect(excludePods(nvPool([]), pool, blocks, all).full).toEqual(["ippool.a.2"]);
    expect(excludePods(nvPool([]), pool, blocks, all.slice(1)).full).toEqual([]);
  });
});
