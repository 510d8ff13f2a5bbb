// npm run bench -- agent [--minutes=N]: an idle node agent beside 250 pods, on a real API server.
import { type ChildProcess, spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parse } from "yaml";
import { adminClient } from "../test/parts/admin-client.ts";
import type { ApiServer } from "../test/parts/api-server.ts";
import { createNamespace, createPod } from "../test/parts/cluster-objects.ts";
import { makeNamespace, removeNamespaces } from "../test/parts/namespace.ts";
import { callPlugin } from "../test/parts/plugin.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../test/parts/real-api-server.ts";
import { checkout, hostLocals } from "../test/parts/tools.ts";
import { median, quantile } from "./statistics.ts";

const node = "bench-agent";
const pods = 250;
const changes = 60;
const key = "example.com/bench";

/** What the manifest sets beside the node's name. */
function environment(): NodeJS.ProcessEnv {
  const manifest = parse(readFileSync(join(checkout, "examples/agent/base/daemon-set.yaml"), "utf8"));
  const entries: { name: string; value?: string }[] = manifest.spec.template.spec.containers[0].env;
  const given = entries.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]));
  return { PATH: process.env["PATH"], ...Object.fromEntries(given) };
}

/** Milliseconds after its start until an agent is idle. */
const settling = 20_000;

type Found = {
  residentMiB: number;
  cpuPercent: number;
  p50: number;
  p95: number;
  requestsAnHour: number;
  requests: Record<string, number>;
  starting: Record<string, number>;
};

/** Prints a table; the exit code is 1 where a goal is missed. */
export async function benchAgent(words: string[], output: string): Promise<number> {
  const lack = reasonForNoRealApiServer() ?? (hostLocals().length === 0 ? "host-local" : undefined);
  if (lack !== undefined) throw new Error(`the agent is measured on real parts: without ${lack} it can't be`);
  const minutes = Number(/^--minutes=(\d+)$/.exec(words[0] ?? "--minutes=5")?.[1]);
  if (!(minutes >= 1)) throw new Error("agent takes --minutes=N, N from 1, and nothing else");
  const folder = mkdtempSync(join(tmpdir(), "bench-agent-"));
  try {
    return report(await measure(folder, minutes, output), minutes);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(folder: string, minutes: number, output: string): Promise<Found> {
  const audit = join(folder, "audit.log");
  const policy = join(folder, "policy.json");
  const rules = [{ level: "Metadata", omitStages: ["ResponseStarted", "ResponseComplete"] }];
  writeFileSync(policy, JSON.stringify({ apiVersion: "audit.k8s.io/v1", kind: "Policy", rules }));
  const server = await startRealApiServer({
    flags: [`--audit-policy-file=${policy}`, `--audit-log-path=${audit}`],
  });
  const namespace = makeNamespace("bench");
  let agent: ChildProcess | undefined;
  try {
    await fill(folder, server, namespace.path, output);
    agent = start(folder, output);
    await pause(settling);
    if (agent.exitCode !== null)
      throw new Error(`the agent ended: see ${readFileSync(join(folder, "agent.log"), "utf8")}`);
    const pid = agent.pid as number;
    const before = { ticks: ticksOf(pid), time: performance.now(), audit: linesOf(audit).length };
    await pause(minutes * 60_000);
    const seconds = (performance.now() - before.time) / 1000;
    const audited = linesOf(audit);
    const starting = audited.slice(0, before.audit).filter(isAgents).map(describe);
    const requests = audited.slice(before.audit).filter(isAgents).map(describe);
    const cpuPercent = ((ticksOf(pid) - before.ticks) / 100 / seconds) * 100;
    const residentMiB = residentOf(pid);
    const took = await timeChanges(server, join(folder, "host/run/kube-node/node.json"));
    return {
      residentMiB,
      cpuPercent,
      p50: median(took),
      p95: quantile(took, 0.95),
      requestsAnHour: (requests.length / seconds) * 3600,
      requests: countBy(requests),
      starting: countBy(starting),
    };
  } finally {
    agent?.kill("SIGKILL");
    removeNamespaces([namespace]);
    await server.close();
  }
}

/** A Node with 250 pods: objects in the API, and attachments by the real plugin and host-local. */
async function fill(folder: string, server: ApiServer, netns: string, output: string): Promise<void> {
  const machineID = readFileSync("/etc/machine-id", "utf8").trim();
  await server.createNode({
    name: node,
    podCIDRs: ["10.1.0.0/16"],
    annotations: { [key]: "10.2.0.0/24" },
    machineID,
  });
  const kubeconfig = join(folder, "kubeconfig");
  writeFileSync(kubeconfig, await server.kubeconfigFor({ kind: "admin" }), { mode: 0o600 });
  for (const part of ["etc/cni/net.d", "opt/cni/bin", "run"])
    mkdirSync(join(folder, "host", part), { recursive: true });
  copyFileSync("/etc/machine-id", join(folder, "host/etc/machine-id"));
  const [hostLocal] = hostLocals();
  symlinkSync(hostLocal?.path ?? "", join(folder, "host/opt/cni/bin/host-local"));
  const ipam = { type: "kube-node", dataDir: join(folder, "networks"), kubeconfig, nodeName: node };
  const config = { cniVersion: "1.0.0", name: "net1", type: "bridge", ipam };
  writeFileSync(join(folder, "host/etc/cni/net.d/10-net1.conf"), JSON.stringify(config));
  const client = await adminClient(server);
  await createNamespace(client, "default");
  for (let i = 0; i < pods; i++) {
    await createPod(client, { name: `pod-${i}`, node });
    const { metadata } = await client.get<{ metadata: { uid: string } }>(
      `/api/v1/namespaces/default/pods/pod-${i}`,
    );
    const answer = await callPlugin({
      command: [join(output, "kube-node")],
      verb: "ADD",
      containerID: `${i}`.padStart(64, "0"),
      ifname: "eth0",
      netns,
      args: `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=pod-${i};K8S_POD_UID=${metadata.uid}`,
      path: hostLocal?.folder ?? "",
      stdin: config,
    });
    if (answer.exitCode !== 0) throw new Error(`an ADD failed: ${answer.stdout}`);
  }
  client.close();
}

function start(folder: string, output: string): ChildProcess {
  const flags = [
    `--node-name=${node}`,
    `--kubeconfig=${join(folder, "kubeconfig")}`,
    `--host-root=${join(folder, "host")}`,
    `--data-dir=${join(folder, "networks")}`,
    "--metrics-address=127.0.0.1:0",
  ];
  const log = join(folder, "agent.log");
  return spawn(
    "sh",
    ["-c", 'log=$1; shift; exec "$@" 2>"$log"', "sh", log, join(output, "kube-node-agent"), "run", ...flags],
    { stdio: "ignore", env: environment() },
  );
}

/** From the request to change an annotation until the plugin would read it, in milliseconds. */
async function timeChanges(server: ApiServer, file: string): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < changes; i++) {
    const value = `10.2.${i}.0/24`;
    const started = performance.now();
    await server.setAnnotation(node, key, value);
    while (!existsSync(file) || statSync(file).size === 0 || !readFileSync(file, "utf8").includes(value))
      await pause(1);
    took.push(performance.now() - started);
    await pause(50);
  }
  return took;
}

type AuditLine = { verb: string; requestURI: string; userAgent?: string };

function linesOf(path: string): AuditLine[] {
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.filter((line) => line.endsWith("}")).map((line) => JSON.parse(line) as AuditLine);
}

function isAgents({ userAgent }: AuditLine): boolean {
  return userAgent === "kube-node-agent";
}

function describe({ verb, requestURI }: AuditLine): string {
  return `${verb} ${requestURI.replace(/\?.*/, "")}`;
}

function countBy(words: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

/** User's and system's, a hundred a second. */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

function residentOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

function report(found: Found, minutes: number): number {
  const rows: [string, number, string, number][] = [
    ["resident memory", found.residentMiB, "MiB", 64],
    ["CPU, of one core", found.cpuPercent, "%", 0.2],
    ["annotation changed to file, p50", found.p50, "ms", 50],
    ["annotation changed to file, p95", found.p95, "ms", Number.POSITIVE_INFINITY],
    ["requests an hour", found.requestsAnHour, "", 30],
  ];
  console.log(`An idle agent, ${pods} pods, looked at for ${minutes} minutes:`);
  for (const [what, value, unit, goal] of rows) {
    const verdict = Number.isFinite(goal)
      ? value <= goal
        ? ` (goal ≤ ${goal}: met)`
        : ` (goal ≤ ${goal}: MISSED)`
      : "";
    console.log(`  ${what}: ${value.toFixed(value < 1 ? 3 : 1)} ${unit}${verdict}`);
  }
  console.log(
    `  requests at start: ${JSON.stringify(found.starting)}\n  requests since: ${JSON.stringify(found.requests)}`,
  );
  return rows.every(([, value, , goal]) => value <= goal) ? 0 : 1;
}
