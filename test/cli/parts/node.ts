import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { EmbeddedApiServer } from "../../parts/embedded-api-server.ts";
import * as net from "../../parts/namespace.ts";
import { callPlugin, type PluginAnswer } from "../../parts/plugin.ts";
import { namespaces, whatLacks } from "../../parts/tools.ts";
import { addressesIn } from "../../real/parts/answers.ts";
import { privateMounts, withMounts } from "../../real/parts/private-mounts.ts";
import type { Subject } from "../../real/parts/subjects.ts";
import { type Difference, makeWorker, type Worker } from "../../real/parts/worker.ts";

/** What tests of the node's commands need. */
export const lack = whatLacks(namespaces(), privateMounts());

/** A pod of the tests: `namespace/name`, its sandbox's id, and where it is attached. */
export type TestPod = { name: string; id: string; ifname?: string; network?: string; ipam?: object };

/** A machine on which an operator types commands; its /var/lib/cni is a folder of the test. */
export type OperatorsNode = {
  worker: Worker;
  /** host-local's stores, from where the test stands. */
  stores: string;
  /** Attaches a pod that has a real network namespace; gives its addresses. */
  attach(pod: TestPod): Promise<string[]>;
  call(verb: string, pod: TestPod, difference?: Difference): Promise<PluginAnswer>;
  /** Ends the pod behind the runtime's back: its namespace goes, its lease and record stay. */
  endNamespace(pod: TestPod): void;
  recordOf(pod: TestPod): string;
  /** What a person types behind the program's name. */
  run(...words: string[]): Promise<PluginAnswer>;
  /** host-local by itself, as others may call it. */
  hostLocal(verb: string, id: string, network?: string): Promise<PluginAnswer>;
};

export async function makeOperatorsNode(
  server: EmbeddedApiServer,
  subject: Subject,
  spec: Parameters<typeof makeWorker>[2],
): Promise<OperatorsNode> {
  const worker = await makeWorker(server, subject, spec);
  const varLibCni = join(worker.folder, "cni");
  mkdirSync(varLibCni);
  const made = new Map<string, net.Namespace>();
  onTestFinished(() => net.removeNamespaces([...made.values()]));
  const wrap = (command: string[]) => withMounts({ "/var/lib/cni": varLibCni }, command);
  const stores = join(varLibCni, "networks");

  function namespaceOf({ id }: TestPod): net.Namespace {
    const namespace = made.get(id) ?? net.makeNamespace("pod");
    made.set(id, namespace);
    return namespace;
  }
  function call(verb: string, pod: TestPod, difference: Difference = {}): Promise<PluginAnswer> {
    const [namespace, name] = pod.name.split("/");
    return worker.call(verb, {
      id: pod.id,
      ifname: pod.ifname ?? "eth0",
      netns: namespaceOf(pod).path,
      args: `IgnoreUnknown=1;K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${name};K8S_POD_UID=uid-${name}`,
      config: { name: pod.network ?? "net1" },
      ...difference,
      ipam: { dataDir: undefined, ...pod.ipam, ...difference.ipam },
      wrap,
    });
  }

  return {
    worker,
    stores,
    attach: async (pod) => addressesIn(await call("ADD", pod)),
    call,
    endNamespace: (pod) => {
      net.removeNamespaces([namespaceOf(pod)]);
      made.delete(pod.id);
    },
    recordOf: ({ id, ifname = "eth0", network = "net1" }) =>
      join(stores, ".kube-node", network, "attachments", `${id}:${ifname}`),
    run: (...words) =>
      callPlugin({
        command: wrap([...subject.executable.command("kube-node"), ...words]),
        env: { CNI_PATH: worker.path },
      }),
    hostLocal: (verb, id, network = "net1") =>
      callPlugin({
        command: wrap([subject.hostLocal.path]),
        verb,
        containerID: id,
        ifname: "eth0",
        netns: "/var/run/netns/none",
        path: subject.hostLocal.folder,
        stdin: {
          cniVersion: "1.0.0",
          name: network,
          ipam: { type: "host-local", ranges: [[{ subnet: "10.1.0.0/24" }]] },
        },
      }),
  };
}

/** A command and all that it printed, as a document: what differs from run to run is replaced. */
export function transcript(words: string[], { stdout, stderr, exitCode }: PluginAnswer): string {
  const typed = `$ kube-node ${words.map((word) => (/[ *]/.test(word) ? `'${word}'` : word)).join(" ")}`;
  const code = exitCode === 0 ? "" : `exit code ${exitCode}\n`;
  return `${typed}\n${settle(stdout)}${settle(stderr)}${code}`;
}

/** All of one length as before, so that columns stay columns. */
function settle(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "2026-11-26T08:00:00Z")
    .replace(/\/netns\/kn-[\w-]+-pod/g, "/netns/cni-5f0c");
}
