import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApiServer } from "../test/parts/api-server.ts";
import { startEmbeddedApiServer } from "../test/parts/embedded-api-server.ts";
import { send } from "../test/parts/https-request.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../test/parts/real-api-server.ts";

export const node = "bench-node";
export const podCIDRs = ["10.1.0.0/16", "fd00:1::/64"];
/** Room for every size of store. */
export const wide = { key: "example.com/wide", value: "10.64.0.0/14" };
export const annotated = { key: "example.com/bench", value: "10.2.0.0/16,fd00:2::/64" };

/** What the benchmark plays on: a folder of its own, an API server with one Node, and the kubelet's credentials for it. */
export type World = {
  folder: string;
  api: string;
  kubeconfig: string;
  machineID: string | undefined;
  /** How many requests for Nodes the API server has got so far. */
  requests(): Promise<number>;
  /** A folder in the world's, made. */
  makeFolder(name: string): string;
  close(): Promise<void>;
};

export async function openWorld(): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "kube-node-bench-"));
  const { server, api, requests } = await startServer();
  const machineID = readMachineID();
  await server.createNode({
    name: node,
    podCIDRs,
    annotations: { [annotated.key]: annotated.value, [wide.key]: wide.value },
    ...(machineID !== undefined && { machineID }),
  });
  const kubeconfig = join(folder, "kubeconfig");
  writeFileSync(kubeconfig, await server.kubeconfigFor({ kind: "kubelet", node }, { folder }), {
    mode: 0o600,
  });
  return {
    folder,
    api,
    kubeconfig,
    machineID,
    requests,
    makeFolder(name) {
      const path = join(folder, name);
      mkdirSync(path, { recursive: true });
      return path;
    },
    async close() {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startServer(): Promise<{ server: ApiServer; api: string; requests(): Promise<number> }> {
  const reason = reasonForNoRealApiServer();
  if (reason !== undefined) {
    const server = await startEmbeddedApiServer();
    return { server, api: `embedded (${reason})`, requests: async () => server.requests.length };
  }
  const server = await startRealApiServer();
  const connection = {
    url: server.url,
    authority: server.authority,
    credentials: await server.credentialsFor({ kind: "admin" }),
  };
  const { json } = await send(connection, { path: "/version" });
  const requests = async () => countNodeRequests((await send(connection, { path: "/metrics" })).text);
  return { server, api: `kube-apiserver ${(json as { gitVersion: string }).gitVersion}`, requests };
}

/** GETs and LISTs of Nodes, whatever came of them. */
function countNodeRequests(metrics: string): number {
  const lines = metrics.split("\n").filter((line) => line.startsWith("apiserver_request_total{"));
  const ours = lines.filter((line) => line.includes('resource="nodes"') && /verb="(GET|LIST)"/.test(line));
  return ours.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

function readMachineID(): string | undefined {
  try {
    return readFileSync("/etc/machine-id", "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}
