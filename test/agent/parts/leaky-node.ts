import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Client } from "../../../src/kube/client.ts";
import type { ApiServer } from "../../parts/api-server.ts";
import { createPod } from "../../parts/cluster-objects.ts";
import * as net from "../../parts/namespace.ts";
import { callPlugin, executables } from "../../parts/plugin.ts";
import { hostLocals } from "../../parts/tools.ts";
import { addressesIn, expectSilence } from "../../real/parts/answers.ts";
import { withMounts } from "../../real/parts/private-mounts.ts";
import { editJson, listLeases, listRecords } from "../../real/parts/store.ts";
import { type Agent, type Host, makeHost, startAgent, uptime } from "./agent.ts";

/** A machine with pods on a real API server, and an agent that looks for leaks every second. Gone after the test. */
export type LeakyNode = {
  name: string;
  host: Host;
  dataDir: string;
  kubeconfig: string;
  /** A pod with a namespace of its own and, by `isKnown`, on the API server; its UID there, else a made-up one, goes to the plugin. */
  attach(id: string, options?: AttachOptions): Promise<string[]>;
  /** The same in another folder of leases. */
  attachAt(dataDir: string, id: string, network: string): Promise<void>;
  endNamespace(id: string): void;
  /** Its runtime stood in a mount namespace that is no more. */
  forgetViewpoint(id: string): void;
  editRecord(id: string, changes: object, network?: string): void;
  recordOf(id: string, network?: string): string;
  /** "10.1.0.2": "id eth0". */
  leases(network?: string): Record<string, string>;
  /** Ids of containers that have a lease, sorted. */
  holders(network?: string): string[];
  records(network?: string): string[];
  check(id: string): Promise<void>;
  /** An ADD and a DEL of the plugin as it is where the agent's word is at its own place. */
  callBesideAgent(id: string): Promise<void>;
  startAgent(options?: AgentOptions): Agent;
};

type AttachOptions = {
  network?: string;
  /** Seconds that its record is old: more than a watch is behind, unless told otherwise. */
  age?: number;
  isKnown?: boolean;
  uid?: string;
  ipam?: object;
  wrap?: (command: string[]) => string[];
};
type AgentOptions = { args?: string[]; wrap?: (command: string[]) => string[]; kubeconfig?: string };

let count = 0;

export async function makeLeakyNode(
  server: ApiServer,
  client: Client | undefined,
  {
    annotations = {},
    podCIDRs = ["10.1.0.0/24"],
  }: { annotations?: Record<string, string>; podCIDRs?: string[] } = {},
): Promise<LeakyNode> {
  const name = `leaky-${process.pid}-${++count}`;
  const folder = mkdtempSync(join(tmpdir(), "leaky-"));
  const made = new Map<string, net.Namespace>();
  onTestFinished(() => {
    net.removeNamespaces([...made.values()]);
    rmSync(folder, { recursive: true, force: true });
  });
  const host = makeHost();
  const dataDir = join(folder, "networks");
  const kubeconfig = join(folder, "kubeconfig");
  await server.createNode({
    name,
    podCIDRs,
    annotations,
    machineID: readFileSync("/etc/machine-id", "utf8").trim(),
  });
  writeFileSync(kubeconfig, await server.kubeconfigFor({ kind: "admin" }), { mode: 0o600 });
  const [subject] = hostLocals();
  const command = executables()[0]?.command("kube-node") ?? [];

  function namespaceOf(id: string): net.Namespace {
    const namespace = made.get(id) ?? net.makeNamespace("pod");
    made.set(id, namespace);
    return namespace;
  }
  function call(
    verb: string,
    id: string,
    { network = "net1", uid = `uid-${id}`, ipam = {}, wrap = (words) => words }: AttachOptions = {},
  ) {
    return callPlugin({
      command: wrap(command),
      verb,
      containerID: id,
      ifname: "eth0",
      netns: namespaceOf(id).path,
      args: `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${id};K8S_POD_UID=${uid}`,
      path: subject?.folder ?? "",
      stdin: {
        cniVersion: "1.0.0",
        name: network,
        type: "bridge",
        ipam: { type: "kube-node", dataDir, kubeconfig, nodeName: name, ...ipam },
      },
    });
  }
  const recordOf = (id: string, network = "net1") =>
    join(dataDir, ".kube-node", network, "attachments", `${id}:eth0`);
  const leases = (network = "net1") => listLeases(join(dataDir, network));
  const editRecord = (id: string, changes: object, network?: string) =>
    editJson(recordOf(id, network), changes);

  return {
    name,
    host,
    dataDir,
    kubeconfig,
    async attach(id, options = {}) {
      let uid = options.uid;
      if (options.isKnown && client) {
        await createPod(client, { name: id, node: name });
        const pod = await client.get<{ metadata: { uid: string } }>(`/api/v1/namespaces/default/pods/${id}`);
        uid ??= pod.metadata.uid;
      }
      const addresses = addressesIn(await call("ADD", id, { ...options, ...(uid !== undefined && { uid }) }));
      editRecord(id, { uptime: Math.max(0, uptime() - (options.age ?? 100)) }, options.network);
      return addresses;
    },
    async attachAt(other, id, network) {
      addressesIn(await call("ADD", id, { network, ipam: { dataDir: other } }));
    },
    endNamespace(id) {
      net.removeNamespaces([namespaceOf(id)]);
      made.delete(id);
    },
    forgetViewpoint(id) {
      const { viewpoint } = JSON.parse(readFileSync(recordOf(id), "utf8")) as { viewpoint: string };
      editRecord(id, { viewpoint: `4:4099999999 ${viewpoint.split(" ")[1]}` });
    },
    editRecord,
    recordOf,
    leases,
    holders: (network) =>
      [...new Set(Object.values(leases(network)).map((lease) => lease.split(" ")[0] ?? ""))].sort(),
    records: (network = "net1") => listRecords(join(dataDir, ".kube-node", network)),
    async callBesideAgent(id) {
      const wrap = (words: string[]) => withMounts({ "/run/kube-node": host.run }, words);
      addressesIn(await call("ADD", id, { wrap }));
      expectSilence(await call("DEL", id, { wrap }));
    },
    check: async (id) => void expectSilence(await call("CHECK", id)),
    startAgent({ args = [], wrap, kubeconfig: other } = {}) {
      if (!existsSync(join(host.bin, "host-local")))
        symlinkSync(subject?.path ?? "", join(host.bin, "host-local"));
      return startAgent({
        host,
        node: name,
        kubeconfig: other ?? kubeconfig,
        args: [`--data-dir=${dataDir}`, "--grace-period=1s", "--leak-interval=1s", ...args],
        ...(wrap && { wrap }),
      });
    },
  };
}

/** The number that a metric has, of all its series with these labels the sum; undefined where there is none. */
export function metric(text: string, name: string, labels: Record<string, string> = {}): number | undefined {
  const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  const found = lines.filter((line) => wanted.every((label) => line.includes(label)));
  if (found.length === 0) return undefined;
  return found.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
