import { describe, expect, it } from "vitest";
import { Cluster } from "../../src/controller/cluster.ts";
import { judgeBlocks } from "../../src/controller/judge-blocks.ts";
import { readBlockRecord, readNodeRecord, readPoolRecord } from "../../src/controller/records.ts";
import type { CloseReason } from "../../src/pool/judge-node.ts";

const good = { subnet: "10.1.0.0/24", perNodeBlockSize: 16 };
const elsewhere = {
  nodeSelectorTerms: [{ matchExpressions: [{ key: "zone", operator: "In", values: ["b"] }] }],
};

type Given = { uid?: string; spec?: object; deleting?: true; carried?: number[] };
type Block = { index: number; pool?: string; node?: string; created?: string; closing?: true };

/** Why each of a Node's blocks is to be closed, by index. */
function judge({ uid = "p", spec = good, deleting, carried = [] }: Given, ...blocks: Block[]): object {
  const cluster = new Cluster();
  const metadata = { name: "a", uid, resourceVersion: "1", generation: 1 };
  const marked = { ...metadata, ...(deleting && { deletionTimestamp: "2026-01-01T00:00:00Z" }) };
  const pool = readPoolRecord("IPPool", { metadata: marked, spec });
  if (pool && uid !== "none") cluster.putPool(pool);
  for (const { index, pool: of = "p", node: nodeUID = "u", created, closing } of blocks) {
    const record = readBlockRecord({
      metadata: {
        name: `ippool.a.${index}`,
        uid: `b${index}`,
        resourceVersion: "2",
        creationTimestamp: created,
      },
      spec: {
        ...{
          pool: { kind: "IPPool", name: "a", uid: of },
          nodeName: "n",
          nodeUID,
          index: String(index),
          closing,
        },
        ...{ first: `10.1.0.${1 + index * 16}`, last: `10.1.0.${16 + index * 16}` },
      },
    });
    if (record) cluster.putBlock(record);
  }
  const shown = carried.map((index) => ({ name: `ippool.a.${index}`, subnet: "10.1.0.0/24", ranges: [] }));
  const text = JSON.stringify({ version: 1, nodeUID: "u", holdsFor: 60, blocks: shown });
  const annotations = { "ippool.ipam.kube-node.io/a": text };
  const node = readNodeRecord({
    metadata: { name: "n", uid: "u", resourceVersion: "3", labels: { zone: "a" }, annotations },
  });
  if (!node) throw new Error("no Node");
  const found: [string, CloseReason][] = [...judgeBlocks(cluster, node)];
  return Object.fromEntries(found.map(([name, why]) => [Number(name.split(".")[2]), why]));
}

describe("what of a Node's blocks is to be closed", () => {
  it("what its pool or its Node is not any more, what is not selected, what is one too many", () => {
    expect(judge({}, { index: 1 })).toEqual({});
    expect(judge({ uid: "another" }, { index: 1 })).toEqual({ 1: "pool gone" });
    expect(judge({ uid: "none" }, { index: 1 })).toEqual({ 1: "pool gone" });
    expect(judge({}, { index: 1, node: "earlier" })).toEqual({ 1: "node replaced" });
    expect(judge({ deleting: true }, { index: 1 }, { index: 2, node: "earlier" })).toEqual({
      1: "pool deleting",
      2: "node replaced",
    });
    expect(judge({ spec: { ...good, nodeSelector: elsewhere } }, { index: 1 })).toEqual({
      1: "node unselected",
    });
  });

  it("an invalid spec frees nothing of a Node that is there, but the block of one before", () => {
    const spec = { ...good, perNodeBlockSize: -1, nodeSelector: elsewhere };
    expect(judge({ spec }, { index: 1 }, { index: 2 }, { index: 3, node: "earlier" })).toEqual({
      3: "node replaced",
    });
    expect(judge({ spec, deleting: true }, { index: 1 })).toEqual({ 1: "pool deleting" });
  });

  it("of several the one that the Node shows stays, else the oldest; what closes doesn't count", () => {
    const old = { index: 3, created: "2026-01-01T00:00:00Z" };
    const late = { index: 1, created: "2026-01-02T00:00:00Z" };
    expect(judge({}, old, late)).toEqual({ 1: "one too many" });
    expect(judge({ carried: [1] }, old, late)).toEqual({ 3: "one too many" });
    expect(judge({}, { ...old, closing: true }, late)).toEqual({});
  });
});
