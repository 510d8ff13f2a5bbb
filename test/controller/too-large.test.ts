// An object that is too large is known by what the real API server and etcd say of it.
import { afterAll, beforeAll, expect, it } from "vitest";
import { isTooLarge } from "../../src/controller/too-large.ts";
import { ApiError } from "../../src/kube/api-error.ts";
import { createNvIpamPool, installNvIpamResources, writeNvIpamStatus } from "../parts/nv-ipam-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type PoolCluster, startPoolCluster } from "./parts/pool-cluster.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });
let cluster: PoolCluster;

beforeAll(async () => {
  if (lack.some) return;
  cluster = await startPoolCluster();
  await installNvIpamResources(cluster.client);
  await createNvIpamPool(cluster.client, "IPPool", "p", { subnet: "10.0.0.0/8", perNodeBlockSize: 16 });
}, 90_000);
afterAll(async () => await cluster?.close());

const allocations = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    nodeName: `node-${i}-${"x".repeat(80)}`,
    startIP: `10.${i >> 12}.${(i >> 4) & 255}.${(i & 15) * 16}`,
    endIP: `10.${i >> 12}.${(i >> 4) & 255}.${(i & 15) * 16 + 15}`,
  }));

it.skipIf(lack.some)(
  `10,000 Nodes fit; what etcd and the API server say of more is understood${lack.words}`,
  async () => {
    const write = (count: number) =>
      writeNvIpamStatus(cluster.client, "IPPool", "p", allocations(count)).then(
        () => "fits",
        (error: unknown) => (isTooLarge(error) ? "too large" : String(error)),
      );
    expect(await write(10_000)).toBe("fits");
    expect(await write(12_000)).toBe("too large");
    expect(await write(40_000)).toBe("too large");
  },
  170_000,
);

it("and so is what is said between them", () => {
  const reason =
    "rpc error: code = ResourceExhausted desc = trying to send message larger than max (2287154 vs. 2097152)";
  expect(isTooLarge(new ApiError({ reason, status: 500 }))).toBe(true);
  expect(isTooLarge(new ApiError({ reason: "etcd is not there", status: 500 }))).toBe(false);
});
