import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { NodeSpec } from "../../parts/api-server.ts";
import * as net from "../../parts/namespace.ts";
import { callPlugin, type PluginAnswer } from "../../parts/plugin.ts";
import type { NodeNamespace } from "../../real/parts/node-namespace.ts";
import { withMounts } from "../../real/parts/private-mounts.ts";
import { listLeases } from "../../real/parts/store.ts";
import type { Subject } from "../../real/parts/subjects.ts";
import { type Config, pathOf } from "./documents.ts";

/** A machine on which the examples are run as they stand, paths and all. Ends with the test. */
export type Machine = {
  /** What a runtime does for a pod: each plugin of a list in its turn, the other way round for DEL; the last answer. */
  run(verb: "ADD" | "CHECK" | "DEL", plugins: Config[], call: Call): Promise<PluginAnswer>;
  leases(network: string): Record<string, string>;
};

export type Call = {
  pod: net.Namespace;
  ifname?: string;
  namespace?: string;
  prevResult?: unknown;
  /** Values of capabilities, for plugins that have them. */
  runtimeConfig?: Record<string, unknown>;
};

const programs = ["host-local", "bridge", "portmap", "macvlan", "ipvlan"];

/** The Node "worker-1", its /var/lib with the kubelet's kubeconfig, and its /opt/cni/bin with all plugins. */
export async function makeMachine(
  { node, server }: NodeNamespace,
  { hostLocal, executable }: Subject,
  spec: Omit<NodeSpec, "name">,
): Promise<Machine> {
  const folder = mkdtempSync(join(tmpdir(), "machine-"));
  onTestFinished(async () => {
    await server.deleteNode("worker-1").catch(() => {});
    rmSync(folder, { recursive: true });
  });
  const places = { "/var/lib": join(folder, "lib"), "/opt/cni": join(folder, "cni") };
  const [kubelet, bin] = [join(folder, "lib/kubelet"), join(folder, "cni/bin")];
  for (const made of [kubelet, bin, join(folder, "lib/cni")]) mkdirSync(made, { recursive: true });
  for (const program of programs) copy(join(hostLocal.folder, program), join(bin, program));
  copy(executable.command("kube-node")[0] as string, join(bin, "kube-node"));
  linkSync(join(bin, "kube-node"), join(bin, "node-annotation"));
  const machineID = readFileSync("/etc/machine-id", "utf8").trim();
  await server.createNode({ name: "worker-1", machineID, ...spec });
  writeFileSync(
    join(kubelet, "kubeconfig"),
    await server.kubeconfigFor({ kind: "kubelet", node: "worker-1" }),
  );
  const nobodys = join(folder, "nobodys-kubeconfig");
  writeFileSync(nobodys, await server.kubeconfigFor({ kind: "anonymous" }));
  function callOne(verb: string, config: Config, call: Call): Promise<PluginAnswer> {
    const { pod, ifname = "eth0", namespace = "default", prevResult } = call;
    const wanted = Object.entries(call.runtimeConfig ?? {}).filter(([key]) => config.capabilities?.[key]);
    const runtimeConfig = wanted.length > 0 && { runtimeConfig: Object.fromEntries(wanted) };
    return callPlugin({
      command: withMounts(places, net.inside(node, [`/opt/cni/bin/${config.type}`])),
      verb,
      containerID: pod.name,
      ifname,
      netns: pod.path,
      path: "/opt/cni/bin",
      args: `IgnoreUnknown=1;K8S_POD_NAMESPACE=${namespace}`,
      // A configuration that named no credentials would find these, which are nobody's.
      env: { NODE_ANNOTATION_CFG: pathOf("node-annotation/node-annotation.conf"), KUBECONFIG: nobodys },
      stdin: { ...config, ...runtimeConfig, ...(prevResult !== undefined && { prevResult }) },
    });
  }

  return {
    run: async (verb, plugins, call) => {
      let { prevResult } = call;
      let answer: PluginAnswer | undefined;
      for (const plugin of verb === "DEL" ? plugins.toReversed() : plugins) {
        answer = await callOne(verb, plugin, { ...call, prevResult });
        if (answer.exitCode !== 0) return answer;
        if (verb === "ADD") prevResult = answer.json;
      }
      return answer as PluginAnswer;
    },
    leases: (network) => listLeases(join(folder, "lib/cni/networks", network)),
  };
}

/** A copy that stays in sight where what it was copied from lies below one of the places. */
function copy(from: string, to: string): void {
  if (existsSync(from)) copyFileSync(from, to);
}
