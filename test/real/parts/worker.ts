import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Identity, NodeSpec } from "../../parts/api-server.ts";
import type { EmbeddedApiServer } from "../../parts/embedded-api-server.ts";
import { callPlugin, type PluginAnswer } from "../../parts/plugin.ts";
import { addressesIn, expectSilence, type Failure, readFailure } from "./answers.ts";
import { listLeases, listRecords } from "./store.ts";
import type { Subject } from "./subjects.ts";

/** What of a call differs from the usual: container "c1", interface "eth0", network "net1" of CNI 1.0.0. */
export type Difference = {
  id?: string;
  ifname?: string;
  /** A path; null for none. */
  netns?: string | null;
  /** The pod's, in CNI_ARGS. */
  namespace?: string;
  args?: string;
  /** Keys over those of the configuration, and of its `ipam`; what is undefined is left out. */
  config?: Record<string, unknown>;
  ipam?: Record<string, unknown>;
  env?: Record<string, string>;
  stdin?: unknown;
  /** Runs the plugin's command in something. */
  wrap?: (command: string[]) => string[];
};

/** A machine of the cluster: its Node on the API server, and what a runtime there would call. Ends with the test. */
export type Worker = {
  /** Of its Node. */
  name: string;
  folder: string;
  dataDir: string;
  kubeconfig: string;
  /** `ipam` of a kube-node configuration, with these keys over the usual ones. */
  ipam(keys?: Record<string, unknown>): Record<string, unknown>;
  /** CNI_PATH: `bin`, then host-local and the main plugins. */
  path: string;
  bin: string;
  call(verb: string, difference?: Difference): Promise<PluginAnswer>;
  /** An ADD that has to succeed: its addresses, in their order, without prefix lengths. */
  add(difference?: Difference): Promise<string[]>;
  /** A call that has to succeed and to print nothing. */
  pass(verb: string, difference?: Difference): Promise<PluginAnswer>;
  /** A call that has to fail, with the error document alone on stdout. */
  fail(verb: string, difference?: Difference): Promise<Failure>;
  /** "GET /api/v1/nodes/…" of everybody, since this worker is there. */
  requests(): string[];
  annotate(key: string, value: string | null): Promise<void>;
  /** Leases by their address: `{ "10.1.0.2": "c1 eth0" }`. */
  leases(network?: string): Record<string, string>;
  /** Names of attachment records, `c1:eth0`. */
  records(network?: string): string[];
  /** Our folder of a network. */
  state(network?: string): string;
  /** The log's lines. */
  log(): { level: number; msg: string; reason?: string }[];
  /** A program in `bin`; gives its path. */
  putProgram(name: string, script: string): string;
};

let count = 0;

/** `identity` is whose credentials the kubeconfig has: by default the kubelet's of this Node. */
export async function makeWorker(
  server: EmbeddedApiServer,
  { executable, hostLocal }: Subject,
  { identity, ...spec }: Partial<NodeSpec> & { identity?: Identity } = {},
): Promise<Worker> {
  const name = spec.name ?? `worker-${++count}`;
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  const [dataDir, kubeconfig, logfile, bin] = ["data", "kubeconfig", "log", "bin"].map((part) =>
    join(folder, part),
  ) as [string, string, string, string];
  mkdirSync(bin);
  await server.createNode({ name, ...spec });
  writeFileSync(kubeconfig, await server.kubeconfigFor(identity ?? { kind: "kubelet", node: name }));
  const asked = server.requests.length;
  onTestFinished(async () => {
    await server.deleteNode(name).catch(() => {});
    rmSync(folder, { recursive: true, force: true });
  });

  const path = `${bin}:${hostLocal.folder}`;
  const ipam = (keys?: object) => ({ type: "kube-node", dataDir, kubeconfig, logfile, ...keys });

  function call(verb: string, difference: Difference = {}): Promise<PluginAnswer> {
    const { id = "c1", ifname = "eth0", netns = "/var/run/netns/none", namespace, env } = difference;
    const { wrap = (command: string[]) => command } = difference;
    const args = difference.args ?? (namespace && `IgnoreUnknown=1;K8S_POD_NAMESPACE=${namespace}`);
    const own = { cniVersion: "1.0.0", name: "net1", type: "bridge", ipam: ipam(difference.ipam) };
    const config = { ...own, ...difference.config };
    const isAttachment = ["ADD", "DEL", "CHECK"].includes(verb);
    return callPlugin({
      command: wrap(executable.command("kube-node")),
      verb,
      ...(isAttachment && { containerID: id, ifname, ...(netns !== null && { netns }) }),
      ...(isAttachment && args !== undefined && { args }),
      path,
      stdin: "stdin" in difference ? difference.stdin : config,
      ...(env && { env }),
    });
  }

  return {
    name,
    folder,
    dataDir,
    kubeconfig,
    ipam,
    path,
    bin,
    call,
    add: async (difference) => addressesIn(await call("ADD", difference)),
    pass: async (verb, difference) => expectSilence(await call(verb, difference)),
    fail: async (verb, difference) => readFailure(await call(verb, difference)),
    requests: () => server.requests.slice(asked).map(({ method, path }) => `${method} ${path}`),
    annotate: (key, value) => server.setAnnotation(name, key, value),
    leases: (network = "net1") => listLeases(join(dataDir, network)),
    records: (network = "net1") => listRecords(join(dataDir, ".kube-node", network)),
    state: (network = "net1") => join(dataDir, ".kube-node", network),
    log: () => readLines(logfile),
    putProgram: (program, script) => putProgram(join(bin, program), script),
  };
}

/** Makes an executable script. */
export function putProgram(path: string, script: string): string {
  writeFileSync(path, script);
  chmodSync(path, 0o755);
  return path;
}

function readLines(path: string): { level: number; msg: string; reason?: string }[] {
  const lines = readFileSync(path, { encoding: "utf8", flag: "a+" }).split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
}
