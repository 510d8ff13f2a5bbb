import type { NodeBlock } from "../../src/api/node-block.ts";
import type { PoolKind } from "../../src/api/pool-kind.ts";
import { poolAnnotationKey } from "../../src/api/pool-names.ts";
import { chartPool } from "../../src/map/from-pool.ts";
import type { Territory } from "../../src/map/territory.ts";
import { draftBlock } from "../../src/pool/block.ts";
import { readPool } from "../../src/pool/read-pool.ts";
import { viewPool } from "../../src/survey/pool-view.ts";
import type { JsonObject } from "../../src/text/json.ts";

type PoolWorld = {
  kind?: PoolKind;
  spec: JsonObject;
  /** A node's block by its index. */
  blocks: { node: string; index: bigint; closing?: true }[];
  /** `namespace/name@node` → its address. */
  pods?: Record<string, string>;
};

const network = "net";

/** What `kubectl kube-node map` draws of a pool called `a`. */
export function poolTerritory({ kind = "IPPool", spec, blocks, pods = {} }: PoolWorld): Territory {
  const reference = { kind, name: "a", uid: "u" };
  const read = readPool({ ...reference, spec });
  if (!("pool" in read)) throw new Error(JSON.stringify(read.faults));
  const { pool } = read;
  const documents = blocks.map(({ node, index, closing }): NodeBlock => {
    const block = draftBlock(pool, { name: node, uid: node }, index);
    return closing ? { ...block, spec: { ...block.spec, closing } } : block;
  });
  const facts = { nodes: [], ranges: [], keys: new Map(), serviceCIDRs: [], notes: [] };
  const key = poolAnnotationKey(pool);
  const survey = {
    ...facts,
    networks: [{ name: network, key, plugin: "kube-node" as const }],
    pods: Object.entries(pods).map(([text, address]) => {
      const [namespace = "", pod = "", node = ""] = text.split(/[/@]/);
      return { address, namespace, pod, node, network, since: "" };
    }),
  };
  const objects = {
    pools: [{ ...reference, deleting: false, status: {}, pool, faults: [] }],
    blocks: documents,
    isKnown: true,
  };
  const view = viewPool(survey, objects, pool);
  if (!view) throw new Error("there is no such pool");
  return chartPool(view, survey, key);
}

/** Given, closing, excluded and kept back; without a gateway. */
export const pooled = poolTerritory({
  spec: {
    subnet: "192.168.0.0/24",
    perNodeBlockSize: 16,
    exclusions: [
      { startIP: "192.168.0.5", endIP: "192.168.0.6" },
      { startIP: "192.168.0.100", endIP: "192.168.0.140" },
    ],
    perNodeReserved: { last: 1 },
  },
  blocks: [
    { node: "n1", index: 0n },
    { node: "n2", index: 1n, closing: true },
    { node: "n2", index: 2n },
  ],
  pods: { "default/one@n1": "192.168.0.2", "default/two@n2": "192.168.0.18" },
});
