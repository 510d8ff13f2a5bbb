import { describe, expect, it } from "vitest";
import { Cluster } from "../../src/controller/cluster.ts";
import {
  type BlockRecord,
  readBlockRecord,
  readNodeRecord,
  readPoolRecord,
} from "../../src/controller/records.ts";

const pool = (version: string, spec: object = { subnet: "10.1.0.0/24", perNodeBlockSize: 16 }) => {
  const record = readPoolRecord("IPPool", {
    metadata: { name: "a", uid: "p", resourceVersion: version, generation: 1 },
    spec,
  });
  if (!record) throw new Error("no pool");
  return record;
};
const block = (index: number, version: string, uid = `b${index}`): BlockRecord => {
  const first = 1 + index * 16;
  const spec = {
    pool: { kind: "IPPool", name: "a", uid: "p" },
    index: String(index),
    first: `10.1.0.${first}`,
    last: `10.1.0.${first + 15}`,
    nodeName: "n",
    nodeUID: "u",
  };
  const record = readBlockRecord({
    metadata: { name: `ippool.a.${index}`, uid, resourceVersion: version },
    spec,
  });
  if (!record) throw new Error("no block");
  return record;
};
const node = (version: string, more: object = {}) => {
  const record = readNodeRecord({ metadata: { name: "n", uid: "u", resourceVersion: version, ...more } });
  if (!record) throw new Error("no Node");
  return record;
};

describe("what is known of the cluster", () => {
  it("doesn't come back by an answer that was under way while it went", () => {
    const cluster = new Cluster();
    cluster.putPool(pool("1"));
    cluster.putBlock(block(0, "5"));
    expect(cluster.dropBlock("ippool.a.0", "6")).toBeDefined();
    expect(cluster.putBlock(block(0, "5"))).toBe(false);
    expect(cluster.blocksOfNode("n")).toEqual([]);
    expect(cluster.putBlock(block(0, "7", "another"))).toBe(true);
    cluster.putNode(node("8"));
    cluster.dropNode("n", "9");
    expect(cluster.putNode(node("8"))).toBe(false);
    cluster.forgetGone();
    expect(cluster.putNode(node("8"))).toBe(true);
  });

  it("doesn't go back to an older version", () => {
    const cluster = new Cluster();
    cluster.putNode(node("10", { labels: { a: "new" } }));
    expect(cluster.putNode(node("9", { labels: { a: "old" } }))).toBe(false);
    expect(cluster.dropNode("n", "8")).toBe(false);
    expect(cluster.nodes.get("n")?.labels).toEqual({ a: "new" });
  });

  it("sees no change in a heartbeat, nor in an annotation that isn't ours", () => {
    const cluster = new Cluster();
    expect(cluster.putNode(node("1", { labels: { a: "" } }))).toBe(true);
    expect(cluster.putNode(node("2", { labels: { a: "" }, annotations: { "example.org/x": "y" } }))).toBe(
      false,
    );
    expect(
      cluster.putNode(node("3", { labels: { a: "" }, annotations: { "ippool.ipam.kube-node.io/a": "{}" } })),
    ).toBe(true);
  });

  it("occupies what is recorded and what is being created, through a change of the spec", () => {
    const cluster = new Cluster();
    cluster.putPool(pool("1"));
    cluster.putNode(node("1"));
    cluster.putBlock(block(1, "2"));
    const places = () => cluster.place("IPPool/a", node("1"));
    expect(places()).toMatchObject({ name: "ippool.a.0" });
    cluster.putPool(pool("3", { subnet: "10.1.0.0/24", perNodeBlockSize: 16, gateway: "10.1.0.1" }));
    cluster.putPool({ ...pool("4"), generation: 2 });
    expect(places()).toMatchObject({ name: "ippool.a.2" });
    cluster.settle("ippool.a.0"); // Its creation failed.
    expect(places()).toMatchObject({ name: "ippool.a.0" });
    cluster.putBlock(block(0, "5"));
    cluster.settle("ippool.a.0");
    expect(places()).toMatchObject({ name: "ippool.a.3" });
    cluster.dropBlock("ippool.a.1", "6");
    expect(places()).toMatchObject({ name: "ippool.a.1" });
  });
});
