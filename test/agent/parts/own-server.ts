import { afterAll, beforeAll } from "vitest";
import type { Client } from "../../../src/kube/client.ts";
import { adminClient } from "../../parts/admin-client.ts";
import type { ApiServer } from "../../parts/api-server.ts";
import { createNamespace } from "../../parts/cluster-objects.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../../parts/real-api-server.ts";
import { hostLocals, namespaces, whatLacks } from "../../parts/tools.ts";
import { privateMounts } from "../../real/parts/private-mounts.ts";

const noServer = reasonForNoRealApiServer();

/** What nodes with leases and an agent need. */
export const lack = whatLacks(
  noServer === undefined ? {} : { missing: noServer },
  hostLocals().length > 0 ? {} : { missing: "host-local" },
  namespaces(),
  privateMounts(),
);

/** A real API server for all tests of a file, with what `prepare` makes there; its fields are there once the tests run. */
export function useServer(prepare: (client: Client) => Promise<void> = async () => {}) {
  const own = {} as { server: ApiServer; client: Client };
  beforeAll(async () => {
    if (lack.some) return;
    own.server = await startRealApiServer();
    own.client = await adminClient(own.server);
    await createNamespace(own.client, "default");
    await prepare(own.client);
  }, 90_000);
  afterAll(async () => {
    own.client?.close();
    await own.server?.close();
  });
  return own;
}
