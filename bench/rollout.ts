import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { execa } from "execa";
import { copyExecutable } from "../src/agent/copy-executable.ts";
import { clusterTools } from "../test/parts/tools.ts";
import type { Arena } from "./arena.ts";
import { names, toRanges } from "./contenders.ts";
import type { RolloutRow } from "./results.ts";
import { pairedRatio } from "./statistics.ts";
import { stopped } from "./stop.ts";

const pods = 100;
const turns = 5;

/** A real node, as `cluster env` describes it. */
type Node = {
  kubectl(...args: string[]): Promise<string>;
  bin: string;
  conf: string;
  data: string;
  podCIDRs: string[];
};

/** A plugin on the node, and what stands in `ipam`. */
type Way = { name: string; type: string; path: string; ipam: Record<string, unknown> };

/** Pods rolled out on a real node with the plugin bridge, turn by turn; undefined where there are no means for it. */
export async function rollOut(arena: Arena): Promise<RolloutRow[] | undefined> {
  const tools = clusterTools();
  if (tools.path === undefined) {
    arena.notes.push(`rollout: left out without ${tools.missing}`);
    return undefined;
  }
  const cluster = join(tools.path, "cluster");
  const folder = mkdtempSync(join(tmpdir(), "kn-rollout-"));
  try {
    await execa(cluster, ["up", "--nodes", "1", "--cni", "default", "--dir", folder], {
      cancelSignal: stopped,
    });
    return await takeTurns(await openNode(cluster, folder), arena);
  } finally {
    await execa(cluster, ["down", "--dir", folder], { stderr: "ignore", reject: false });
    rmSync(folder, { recursive: true, force: true });
  }
}

async function openNode(cluster: string, folder: string): Promise<Node> {
  const { stdout } = await execa(cluster, ["env", "--dir", folder]);
  const entries = [...stdout.matchAll(/^export (\w+)='?([^'\n]*)'?$/gm)].map(([, name, value]) => [
    name,
    value,
  ]);
  const env = Object.fromEntries(entries) as Record<string, string>;
  const kubectl = async (...args: string[]) =>
    (await execa(join(env["KUBEBUILDER_ASSETS"] ?? "", "kubectl"), args, { env, cancelSignal: stopped }))
      .stdout;
  await writeAdminKubeconfig(env);
  const podCIDRs = JSON.parse(
    await kubectl("get", "node", "node-1", "-o", "jsonpath={.spec.podCIDRs}"),
  ) as string[];
  const [bin = "", conf = "", data = ""] = ["BIN", "CONF", "DATA"].map((name) => env[`NODE_1_CNI_${name}`]);
  return { kubectl, bin, conf, data, podCIDRs };
}

/** For peers that list all Nodes, which a kubelet may not. Admin's own speaks to a port that the node can't reach. */
async function writeAdminKubeconfig(env: Record<string, string>): Promise<void> {
  const { stdout } = await execa("sed", [
    `s#server: .*#server: ${env["CLUSTER_API"]}#`,
    env["KUBECONFIG"] ?? "",
  ]);
  writeFileSync(`${env["NODE_1_ROOT"]}/var/lib/kubelet/admin.kubeconfig`, stdout, { mode: 0o600 });
}

async function takeTurns(node: Node, { hostLocal, kubeNode, peers }: Arena): Promise<RolloutRow[]> {
  const kubelet = { kubeconfig: "/var/lib/kubelet/kubeconfig" };
  const admin = { kubeconfig: "/var/lib/kubelet/admin.kubeconfig" };
  const ways: Way[] = [
    {
      name: names.hostLocal,
      type: "host-local",
      path: hostLocal.path,
      ipam: { ranges: toRanges(node.podCIDRs) },
    },
    { name: names.kept, type: "kube-node", path: kubeNode, ipam: kubelet },
    ...peers.map(({ name, path }) => ({ name, type: `kube-node-${name}`, path, ipam: admin })),
  ];
  for (const { type, path } of ways) await install(path, join(node.bin, type));
  for (const way of ways) await time(node, way, 10); // The first pods on a node are slower.
  const seconds = new Map<string, number[]>(ways.map(({ name }) => [name, []]));
  for (let turn = 0; turn < turns; turn++) {
    for (const way of turn % 2 === 0 ? ways : ways.toReversed())
      seconds.get(way.name)?.push(await time(node, way, pods));
  }
  const bare = seconds.get(names.hostLocal) ?? [];
  return [...seconds].map(([contender, own]) => ({ contender, seconds: own, ratio: pairedRatio(own, bare) }));
}

async function install(from: string, to: string): Promise<void> {
  await copyExecutable(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}

/** Seconds from creating the deployment until all its pods are ready; afterwards they are gone again. */
async function time(node: Node, way: Way, replicas: number): Promise<number> {
  const store = `bench-${way.type}`;
  configure(node, way, store);
  await pause(3000); // containerd looks at the folder when it is told of a change.
  const wait = ["sh", "-c", "trap exit TERM; sleep 1000000 & wait"];
  const started = performance.now();
  await node.kubectl(
    "create",
    "deployment",
    "bench",
    "--image=busybox:local",
    `--replicas=${replicas}`,
    "--",
    ...wait,
  );
  await node.kubectl("rollout", "status", "deployment/bench", "--timeout=300s");
  const seconds = (performance.now() - started) / 1000;
  if (leases(node, store) < replicas)
    throw new Error(`rollout: ${way.name} did not give the pods their addresses`);
  await node.kubectl("delete", "deployment", "bench", "--cascade=foreground", "--timeout=300s");
  await node.kubectl("wait", "--for=delete", "pod", "-l", "app=bench", "--timeout=300s");
  for (let tries = 0; leases(node, store) > 0 && tries < 100; tries++) await pause(100);
  return seconds;
}

function configure({ conf }: Node, { type, ipam }: Way, store: string): void {
  const dataDir = "/var/lib/cni/networks";
  const bridge = { type: "bridge", bridge: "bench0", isGateway: true, hairpinMode: true };
  const plugins = [{ ...bridge, ipam: { type, dataDir, ...ipam } }];
  const path = join(conf, "10-default.conflist");
  const draft = join(conf, `.${basename(path)}`);
  writeFileSync(draft, JSON.stringify({ cniVersion: "1.0.0", name: store, plugins }));
  renameSync(draft, path);
}

/** IPv4 leases: each pod has one. */
function leases({ data }: Node, store: string): number {
  try {
    return readdirSync(join(data, store)).filter((name) => /^\d+\.\d+\.\d+\.\d+$/.test(name)).length;
  } catch {
    return 0;
  }
}
