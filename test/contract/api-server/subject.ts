import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { ApiServer, Credentials, Identity, KubeNode } from "../../parts/api-server.ts";
import { type Answer, type Call, send } from "../../parts/https-request.ts";

/** The API server that the suite asks, with node-a (ranges, label, machine-id), node-b (another label) and node-c (bare). */
export type Subject = {
  server: ApiServer;
  /** Temporary, for the files of this suite. */
  folder: string;
  admin: Credentials;
  ask(credentials: Credentials, call: Call | string): Promise<Answer>;
  askAs(identity: Identity, call: Call | string): Promise<Answer>;
  /** The names in the list that the query gives. */
  listNames(credentials: Credentials, query: string): Promise<string[]>;
  close(): Promise<void>;
};

export const nodes = "/api/v1/nodes";
export const mergePatch = { "content-type": "application/merge-patch+json" };
export const account = { kind: "serviceAccount", namespace: "kube-system", name: "kube-node" } as const;
export const forbidden = { status: 403, reason: "Forbidden" };

/** Starts a server and makes the three Nodes. */
export async function startSubject(start: () => Promise<ApiServer>): Promise<Subject> {
  const server = await start();
  const folder = await mkdtemp(join(tmpdir(), "api-server-"));
  await server.createNode({
    name: "node-a",
    podCIDRs: ["10.1.0.0/24", "fd00:1::/64"],
    annotations: { "example.org/range": "10.9.0.0/24" },
    labels: { zone: "a" },
    machineID: "abc",
  });
  await server.createNode({ name: "node-b", labels: { zone: "b" } });
  await server.createNode({ name: "node-c" });
  const ask: Subject["ask"] = (credentials, call) =>
    send({ ...server, credentials }, typeof call === "string" ? { path: call } : call);
  return {
    server,
    folder,
    admin: await server.credentialsFor({ kind: "admin" }),
    ask,
    askAs: async (identity, call) => ask(await server.credentialsFor(identity), call),
    listNames: async (credentials, query) =>
      readItems(await ask(credentials, `${nodes}?${query}`)).map(({ metadata }) => metadata.name),
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** `kubectl annotate`, as a request. */
export function annotate(node: string, annotations: object): Call {
  const body = { metadata: { annotations } };
  return { method: "PATCH", path: `${nodes}/${node}`, body, headers: mergePatch };
}

/** The Nodes of a list. */
export function readItems(answer: Answer): KubeNode[] {
  expect(answer.status).toBe(200);
  return (answer.json as { items: KubeNode[] }).items;
}

type Failure = Record<"kind" | "apiVersion" | "status" | "reason" | "message", string> & {
  metadata: object;
  details?: object;
  code: number;
};

/** What a `Status` says; that HTTP says the same is checked here. */
export function readFailure({ status, headers, json, text }: Answer) {
  expect(headers["content-type"], text).toBe("application/json");
  const { kind, apiVersion, metadata, status: outcome, code, ...said } = json as Failure;
  expect({ kind, apiVersion, metadata, outcome }).toEqual({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    outcome: "Failure",
  });
  expect(code).toBe(status);
  return { status, ...said };
}
