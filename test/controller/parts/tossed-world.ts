import { poolPath } from "../../parts/pool-resources.ts";
import type { Node, PoolCluster } from "./pool-cluster.ts";

/** Nodes and pools that somebody keeps changing at random. */
export type TossedWorld = {
  begin(): Promise<void>;
  /** One change; may fail where the same was done before. */
  act(): Promise<void>;
  /** What isn't yet as it should be once nobody changes anything any more, each as a sentence. */
  unsettled(): Promise<string[]>;
};

const nodeNames = Array.from({ length: 8 }, (_, i) => `n${i}`);
const subnets: Record<string, string> = { a: "10.31.0.0", b: "10.32.0.0" };
const longestPrefix = 27;
const shortestPrefix = 24;

/** Two small pools, each for the Nodes with the label of its name, and eight Nodes that come, go, are made again and relabelled. */
export function makeTossedWorld(
  cluster: PoolCluster,
  random: () => number,
  releaseDelayMs: number,
): TossedWorld {
  const prefixes = new Map(Object.keys(subnets).map((name) => [name, longestPrefix]));
  const pick = <T>(list: T[]) => list[Math.floor(random() * list.length)] as T;
  const labels = () =>
    Object.fromEntries(Object.keys(subnets).flatMap((name) => (random() < 0.7 ? [[name, ""]] : [])));
  const subnetOf = (name: string) => `${subnets[name]}/${prefixes.get(name)}`;

  async function createPool(name: string): Promise<void> {
    await cluster.createPool("IPPool", name, {
      subnet: subnetOf(name),
      perNodeBlockSize: 2,
      nodeSelector: { nodeSelectorTerms: [{ matchExpressions: [{ key: name, operator: "Exists" }] }] },
      blockReleaseDelay: `${releaseDelayMs / 1000}s`,
      blockHoldTime: "1s",
    });
  }

  async function growPool(name: string): Promise<void> {
    const prefix = Math.max(shortestPrefix, (prefixes.get(name) ?? longestPrefix) - 1);
    prefixes.set(name, prefix);
    await cluster.patchPool("IPPool", name, { spec: { subnet: subnetOf(name) } });
  }

  async function unsettledOf(pool: string, nodes: Node[], all: Awaited<ReturnType<PoolCluster["blocks"]>>) {
    const there = await cluster.pool("IPPool", pool);
    const found = there?.metadata.deletionTimestamp ? [`${pool} is still being deleted`] : [];
    for (const { metadata } of nodes) {
      const own = all.filter(({ spec }) => spec.pool.name === pool && spec.nodeUID === metadata.uid);
      const wanted = there && metadata.labels?.[pool] !== undefined ? 1 : 0;
      const shown = (await cluster.annotation(metadata.name, pool))?.blocks.map(({ name }) => name) ?? [];
      if (own.length !== wanted)
        found.push(`${metadata.name} has ${own.length} blocks of ${pool}, not ${wanted}`);
      if (shown.join() !== own.map(({ metadata }) => metadata.name).join())
        found.push(`${metadata.name} shows ${shown.join()} of ${pool}`);
    }
    return found;
  }

  return {
    begin: async () => {
      for (const name of Object.keys(subnets)) await createPool(name);
    },
    act: async () => {
      const [name, pool, dice] = [pick(nodeNames), pick(Object.keys(subnets)), random()];
      if (dice < 0.3) await cluster.createNode(name, labels());
      else if (dice < 0.45) await cluster.remove(`/api/v1/nodes/${name}`);
      else if (dice < 0.55) {
        await cluster.remove(`/api/v1/nodes/${name}`);
        await cluster.createNode(name, labels());
      } else if (dice < 0.8)
        await cluster.patchNode(name, { labels: { [pool]: random() < 0.5 ? null : "" } });
      else if (dice < 0.93) await cluster.patchNode(name, { annotations: { heartbeat: String(random()) } });
      else if (dice < 0.96) await growPool(pool);
      else if (dice < 0.98) await cluster.remove(poolPath("IPPool", pool));
      else await createPool(pool);
    },
    unsettled: async () => {
      const nodes = await cluster.client.list("/api/v1/nodes", (item) => item as Node);
      const blocks = await cluster.blocks();
      const found = await Promise.all(Object.keys(subnets).map((pool) => unsettledOf(pool, nodes, blocks)));
      return found.flat();
    },
  };
}
