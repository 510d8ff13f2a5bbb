import { spawn } from "node:child_process";
import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { execaSync } from "execa";
import * as net from "../../test/parts/namespace.ts";
import type { DemoNode } from "./cluster.ts";
import { addNamespace, addSwitches, connectNode, nodeAddress } from "./network.ts";
import { type Stage, stopSignals } from "./stage.ts";
import type { Programs } from "./surroundings.ts";

const variable = "KUBE_NODE_DEMO_INSIDE";

export function isInside(): boolean {
  return process.env[variable] !== undefined;
}

/**
 * Runs this program again with a network and mounts of its own. The kernel takes them away with their last process,
 * however that ends: nothing is left behind. Resolves with the exit code.
 */
export function runInside(program: string): Promise<number> {
  const child = spawn("unshare", ["--mount", "--net", "--", process.execPath, program], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: { ...process.env, [variable]: "1" },
  });
  for (const signal of stopSignals) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

/**
 * Nodes and pods as network namespaces. A node has /var/lib, /opt and /etc/machine-id for itself. All of it lies in a
 * /run that only this process and its children see.
 */
export function openNamespaces(programs: Programs): Stage {
  process.once("disconnect", () => process.exit(1)); // Who started us is gone.
  process.channel?.unref();
  mount("-t", "tmpfs", "tmpfs", "/run");
  showPlugins({ "kube-node": programs.kubeNode, "host-local": programs.hostLocal, bridge: programs.bridge });
  addSwitches();
  const spaces = new Map<string, net.Namespace>();
  const spaceOf = ({ name }: { name: string }) => spaces.get(name) as net.Namespace;
  const folderOf = ({ name }: DemoNode) => `/run/nodes/${name}`;
  const nodes: DemoNode[] = [];
  return {
    lacks: [],
    api: { address: "192.0.2.1", port: 6443 },
    plugin: "/opt/cni/bin/bridge",
    cniPath: "/opt/cni/bin",
    hasMachineIDs: true,
    varLib: (node) => ({ there: "/var/lib", here: `${folderOf(node)}/lib` }),
    addNode: (node) => {
      nodes.push(node);
      spaces.set(node.name, addNamespace(node.name));
      connectNode(spaceOf(node), node.number);
      mkdirSync(`${folderOf(node)}/lib`, { recursive: true });
      writeFileSync(`${folderOf(node)}/machine-id`, `${node.machineID}\n`);
    },
    addRoutes: (node, ranges) => {
      for (const other of nodes.filter((other) => other !== node)) {
        for (const range of ranges) net.addRoute(spaceOf(other), range, nodeAddress(node.number, range));
      }
    },
    addPod: (pod) => {
      spaces.set(pod.name, addNamespace(pod.name));
      return spaceOf(pod).path;
    },
    onNode: (node, command) =>
      net.inside(spaceOf(node), ["sh", "-c", enterNode, "sh", folderOf(node), ...command]),
    ping: async (from, address) => (await net.ping(spaceOf(from), address)).reached,
  };
}

// `ip netns exec` gives each command mounts of its own.
const enterNode = `
  [ ! -f /etc/machine-id ] || mount --bind "$1/machine-id" /etc/machine-id
  mount --rbind /run/opt /opt && mount --bind "$1/lib" /var/lib && shift && exec "$@"`;

/** For every node's /opt/cni/bin. */
function showPlugins(plugins: Record<string, string | undefined>): void {
  mkdirSync("/run/opt/cni/bin", { recursive: true });
  for (const [name, file] of Object.entries(plugins)) {
    writeFileSync(`/run/opt/cni/bin/${name}`, "");
    mount("--bind", realpathSync(file as string), `/run/opt/cni/bin/${name}`);
  }
}

function mount(...words: string[]): void {
  execaSync("mount", words);
}
