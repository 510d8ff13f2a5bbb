import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { NodeBlock } from "../../../src/api/node-block.ts";
import { type PoolAnnotation, parsePoolAnnotation } from "../../../src/api/pool-annotation.ts";
import type { PoolKind } from "../../../src/api/pool-kind.ts";
import { poolAnnotationKey, poolGroup, poolVersion } from "../../../src/api/pool-names.ts";
import type { PoolCondition, PoolStatus } from "../../../src/api/pool-status.ts";
import { ApiError } from "../../../src/kube/api-error.ts";
import type { Client } from "../../../src/kube/client.ts";
import { adminClient } from "../../parts/admin-client.ts";
import { installPoolResources, poolPath } from "../../parts/pool-resources.ts";
import { type RealApiServer, startRealApiServer } from "../../parts/real-api-server.ts";

export type Metadata = {
  name: string;
  uid: string;
  resourceVersion: string;
  annotations?: Record<string, string>;
  labels?: Record<string, string>;
  finalizers?: string[];
  deletionTimestamp?: string;
  managedFields?: { manager: string; operation: string }[];
};
export type Node = { metadata: Metadata };
export type Pool = { metadata: Metadata; spec: Record<string, unknown>; status?: PoolStatus };
export type Block = NodeBlock & { metadata: Metadata };

/** A real API server that knows pools, and what tests do to it. */
export type PoolCluster = {
  api: RealApiServer;
  client: Client;
  kubeconfig: string;
  createPool(kind: PoolKind, name: string, spec: object): Promise<Pool>;
  pool(kind: PoolKind, name: string): Promise<Pool | undefined>;
  patchPool(kind: PoolKind, name: string, patch: object): Promise<void>;
  createNode(name: string, labels?: Record<string, string>): Promise<Node>;
  node(name: string): Promise<Node | undefined>;
  patchNode(name: string, metadata: object): Promise<void>;
  blocks(): Promise<Block[]>;
  block(name: string): Promise<Block | undefined>;
  /** As its agent would. */
  setBlockStatus(name: string, status: object): Promise<void>;
  remove(path: string): Promise<void>;
  annotation(node: string, pool: string, kind?: PoolKind): Promise<PoolAnnotation | undefined>;
  condition(kind: PoolKind, name: string): Promise<PoolCondition | undefined>;
  close(): Promise<void>;
};

export async function startPoolCluster(options: { etcdFlags?: string[] } = {}): Promise<PoolCluster> {
  const api = await startRealApiServer(options);
  const client = await adminClient(api);
  await installPoolResources(client);
  const kubeconfig = join(mkdtempSync(join(tmpdir(), "knc-")), "kubeconfig");
  writeFileSync(kubeconfig, await api.kubeconfigFor({ kind: "admin" }));
  const blockPath = poolPath("NodeBlock");
  const node = (name: string) => unlessAbsent(client.get<Node>(`/api/v1/nodes/${name}`));
  const pool = (kind: PoolKind, name: string) => unlessAbsent(client.get<Pool>(poolPath(kind, name)));
  return {
    api,
    client,
    kubeconfig,
    createPool: (kind, name, spec) =>
      client.create(poolPath(kind), {
        apiVersion: `${poolGroup}/${poolVersion}`,
        kind,
        metadata: { name },
        spec,
      }),
    pool,
    patchPool: async (kind, name, patch) => void (await client.patch(poolPath(kind, name), patch, "merge")),
    createNode: (name, labels = {}) => client.create("/api/v1/nodes", { metadata: { name, labels } }),
    node,
    patchNode: async (name, metadata) =>
      void (await client.patch(`/api/v1/nodes/${name}`, { metadata }, "merge")),
    blocks: () => client.list(blockPath, (item) => item as Block),
    block: (name) => unlessAbsent(client.get<Block>(`${blockPath}/${name}`)),
    setBlockStatus: async (name, status) =>
      void (await client.patch(`${blockPath}/${name}/status`, { status }, "merge")),
    remove: (path) => client.remove(path),
    annotation: async (name, poolName, kind = "IPPool") => {
      const text = (await node(name))?.metadata.annotations?.[poolAnnotationKey({ kind, name: poolName })];
      return text === undefined ? undefined : parsePoolAnnotation(text);
    },
    condition: async (kind, name) =>
      (await pool(kind, name))?.status?.conditions?.find(({ type }) => type === "Ready"),
    close: async () => {
      await api.close();
      rmSync(dirname(kubeconfig), { recursive: true });
    },
  };
}

async function unlessAbsent<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

/** Asks until there is something (that isn't undefined or false). */
export async function until<T>(
  ask: () => Promise<T | undefined | false>,
  what: string,
  withinMs = 20_000,
): Promise<T> {
  for (const end = Date.now() + withinMs; Date.now() < end; await sleep(20)) {
    const found = await ask();
    if (found !== undefined && found !== false) return found;
  }
  throw new Error(`waited in vain until ${what}`);
}
