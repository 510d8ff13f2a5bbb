// A part of `bench -- pools`: the controller's executable and a real API server, side by side on this machine.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { watchFrom } from "../src/kube/watch.ts";
import { type Controller, startController } from "../test/controller/parts/controller.ts";
import { type PoolCluster, startPoolCluster, until } from "../test/controller/parts/pool-cluster.ts";
import { createManyNodes } from "../test/parts/many-nodes.ts";
import type { ClusterResults } from "./pools-results.ts";
import { quantile } from "./statistics.ts";

const nodes = 5000;
const joins = 200;
const beats = 500;
const pools = [
  { kind: "IPPool", name: "a", spec: { subnet: "10.0.0.0/11", perNodeBlockSize: 64, gateway: "10.0.0.1" } },
  { kind: "CIDRPool", name: "b", spec: { cidr: "10.128.0.0/10", perNodeNetworkPrefix: 26, gatewayIndex: 1 } },
  { kind: "IPPool", name: "c", spec: { subnet: "fd00:1::/64", perNodeBlockSize: 256 } },
  { kind: "CIDRPool", name: "d", spec: { cidr: "fd00:2::/32", perNodeNetworkPrefix: 96, gatewayIndex: 1 } },
] as const;

/** What it asks for by verb; a list counts as one, however many pages it has. */
const verbs = ["GET", "LIST", "POST", "PATCH", "DELETE"];

export async function measureCluster(say: (words: string) => void): Promise<ClusterResults> {
  const cluster = await startPoolCluster();
  const args = ["--status-interval=3s", "--log-level=info"];
  let controller = startController({ kubeconfig: cluster.kubeconfig, args });
  try {
    say(`${nodes} Nodes are made`);
    await createManyNodes(cluster.client, nodes, () => ({ labels: { "topology.kubernetes.io/zone": "a" } }));
    await until(
      async () => (await controller.metric("kube_node_controller_nodes")) === nodes,
      "they are known",
      120_000,
    );

    say("one pool for all of them");
    const filling = await fill(cluster, controller, [pools[0]]);
    say("Nodes that join");
    const joining = await join(cluster);
    say("heartbeats");
    const perBeat = await beat(cluster, controller);
    say("three pools more");
    await fill(cluster, controller, pools.slice(1));
    await sleep(5000);
    const memory = memoryOf(controller.pid);

    say("started again");
    await controller.stop();
    const startedAt = performance.now();
    controller = startController({ kubeconfig: cluster.kubeconfig, args });
    await controller.said("everything is listed", 120_000);
    await untilIdle(controller);
    const restartMs = performance.now() - startedAt;
    await sleep(5000);
    const asked = await askedBy(controller);
    const writes = (asked["POST"] ?? 0) + (asked["PATCH"] ?? 0) + (asked["DELETE"] ?? 0);
    return {
      nodes,
      nodesASecond: nodes / (filling.ms / 1000),
      requestsANode: filling.requests / nodes,
      joined: { p50: quantile(joining, 0.5), p99: quantile(joining, 0.99) },
      reconcilesABeat: perBeat,
      memory,
      restart: { ms: restartMs, writes, requests: asked, memory: memoryOf(controller.pid) },
    };
  } finally {
    controller.kill("SIGKILL");
    await cluster.close();
  }
}

/** From when pools are made until every Node has its annotation, and the requests that took. */
async function fill(cluster: PoolCluster, controller: Controller, wanted: readonly (typeof pools)[number][]) {
  const posted = () => controller.metric("kube_node_controller_api_requests_total", 'verb="POST"');
  const [before, blocks] = [await askedBy(controller), await posted()];
  const there = (await cluster.blocks()).length;
  const count = await controller.metric("kube_node_controller_nodes");
  const began = performance.now();
  for (const { kind, name, spec } of wanted) await cluster.createPool(kind, name, spec);
  await until(async () => (await posted()) - blocks >= count * wanted.length, "all blocks are made", 240_000);
  await untilIdle(controller);
  const ms = performance.now() - began;
  const after = await askedBy(controller);
  const made = (await cluster.blocks()).length - there;
  if (made !== count * wanted.length)
    throw new Error(`${made} blocks were made for ${count} Nodes and ${wanted.length} pools`);
  const requests = verbs.reduce((sum, verb) => sum + (after[verb] ?? 0) - (before[verb] ?? 0), 0);
  return { ms, requests };
}

async function untilIdle(controller: Controller): Promise<void> {
  const annotated = () => controller.metric("kube_node_controller_queue_length");
  for (let calm = 0; calm < 3; calm = (await annotated()) === 0 ? calm + 1 : 0) await sleep(100);
}

async function askedBy(controller: Controller): Promise<Record<string, number>> {
  const all: Record<string, number> = {};
  for (const verb of verbs)
    all[verb] = await controller.metric("kube_node_controller_api_requests_total", `verb="${verb}"`);
  return all;
}

/** Milliseconds from a Node's creation until a watch tells that it has its annotation; one Node after the other. */
async function join({ client }: PoolCluster): Promise<number[]> {
  let version = "";
  await client.list("/api/v1/nodes", () => undefined, {
    onVersion: (one) => {
      version = one;
    },
  });
  const ending = new AbortController();
  const annotated = new Map<string, () => void>();
  const watching = (async () => {
    for await (const { object } of watchFrom(client, "/api/v1/nodes", version, {}, ending.signal)) {
      const { name, annotations } = object["metadata"] as { name: string; annotations?: object };
      if (annotations && "ippool.ipam.kube-node.io/a" in annotations) annotated.get(name)?.();
    }
  })().catch(() => {});
  const took: number[] = [];
  for (let i = 0; i < joins; i++) {
    const name = `joining-${i}`;
    const done = new Promise<void>((resolve) => annotated.set(name, resolve));
    const began = performance.now();
    await client.create("/api/v1/nodes", { metadata: { name } });
    await done;
    took.push(performance.now() - began);
  }
  ending.abort();
  await watching;
  return took;
}

/** Looks at Nodes for each heartbeat: none are wanted. */
async function beat({ client }: PoolCluster, controller: Controller): Promise<number> {
  await untilIdle(controller);
  const looks = () => controller.metric("kube_node_controller_reconcile_seconds_count", 'what="node"');
  const before = await looks();
  for (let i = 0; i < beats; i++) {
    const condition = {
      type: "Ready",
      status: "True",
      reason: `${i}`,
      lastHeartbeatTime: new Date().toISOString(),
    };
    await client.patch(
      `/api/v1/nodes/joining-${i % joins}/status`,
      { status: { conditions: [condition] } },
      "merge",
    );
  }
  await sleep(2000);
  return ((await looks()) - before) / beats;
}

/** MiB: what it has now, and the most that it ever had. */
function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const of = (key: string) => Number(new RegExp(`${key}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
  return { now: of("VmRSS"), peak: of("VmHWM") };
}
