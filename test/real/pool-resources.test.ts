import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Client } from "../../src/kube/client.ts";
import { adminClient } from "../parts/admin-client.ts";
import type { ApiServer } from "../parts/api-server.ts";
import { installPoolResources, poolPath } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../parts/real-api-server.ts";

const lack = reasonForNoRealApiServer();
let api: ApiServer;
let client: Client;
describe.skipIf(lack)(`pools on a real API server${lack ? ` (skipped: ${lack})` : ""}`, () => {
  beforeAll(async () => {
    api = await startRealApiServer();
    client = await adminClient(api);
    await installPoolResources(client);
  });
  afterAll(() => api?.close());

  it("works", async () => {
    await client.create(poolPath("IPPool"), {
      apiVersion: "ipam.kube-node.io/v1alpha1",
      kind: "IPPool",
      metadata: { name: "a" },
      spec: { subnet: "10.1.0.0/16", perNodeBlockSize: 10 },
    });
    expect(await client.get(poolPath("IPPool", "a"))).toBeDefined();
  });
});
