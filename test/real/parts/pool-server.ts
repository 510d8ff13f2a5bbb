import { expect } from "vitest";
import type { PoolKind } from "../../../src/api/pool-kind.ts";
import { adminClient } from "../../parts/admin-client.ts";
import { type Answer, type Call, send } from "../../parts/https-request.ts";
import { installPoolResources, poolPath } from "../../parts/pool-resources.ts";
import { startRealApiServer } from "../../parts/real-api-server.ts";
import { goodCIDRPool, goodIPPool } from "./pool-faults.ts";

const good = { IPPool: goodIPPool, CIDRPool: goodCIDRPool };

export const apiVersion = "ipam.kube-node.io/v1alpha1";

/** A good pool with changes. */
export function poolOf(kind: PoolKind, change: object, name = "p") {
  return { apiVersion, kind, metadata: { name }, spec: { ...good[kind], ...change } };
}

export function wordsOf(answer: Answer): string {
  return (answer.json as { message?: string }).message ?? "";
}

/** A real API server that knows pools, and the requests of an administrator. */
export async function startPoolServer() {
  const api = await startRealApiServer();
  const client = await adminClient(api);
  await installPoolResources(client);
  client.close();
  const credentials = await api.credentialsFor({ kind: "admin" });
  const ask = (call: Call) => send({ url: api.url, authority: api.authority, credentials }, call);
  return {
    ask,
    /** As `kubectl apply` makes it: unknown fields are an error. Nothing is kept. */
    tryOut: (object: { kind: string; [more: string]: unknown }) =>
      ask({
        method: "POST",
        path: `${poolPath(object.kind)}?fieldValidation=Strict&dryRun=All`,
        body: object,
      }),
    make: async (object: { kind: string }) => {
      const answer = await ask({ method: "POST", path: poolPath(object.kind), body: object });
      expect(answer, answer.text).toMatchObject({ status: 201 });
    },
    merge: (kind: string, name: string, body: object, subresource = "") =>
      ask({
        method: "PATCH",
        path: poolPath(kind, name) + subresource,
        body,
        headers: { "content-type": "application/merge-patch+json" },
      }),
    close: () => api.close(),
  };
}

export type PoolServer = Awaited<ReturnType<typeof startPoolServer>>;
