// nv-ipam's pools are served as they are: its rules by the worked examples of its own tests, its status read and written.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PoolKind } from "../../src/api/pool-kind.ts";
import { createNvIpamPool, installNvIpamResources, nvIpamPath } from "../parts/nv-ipam-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { manifestsOfNvIpam } from "../real/parts/nv-ipam-manifests.ts";
import { type Controller, startController } from "./parts/controller.ts";
import { type PoolCluster, startPoolCluster, until } from "./parts/pool-cluster.ts";
import { type NvObject, refusedExamples, workedExamples } from "./parts/worked-examples.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });
const serve = ["--serve-group=nv-ipam.nvidia.com", "--lease-duration=2s"];

const worker = { "node-role.kubernetes.io/worker": "" };
/** By nv-ipam's rules: past exclusions only where all of a block is excluded, static prefixes for those that they name, and not for others. */
const givenByExamples: Record<string, object[]> = {
  "IPPool pool1": [
    { nodeName: "node-33", startIP: "192.168.0.1", endIP: "192.168.0.128" },
    { nodeName: "node-34", startIP: "192.168.0.129", endIP: "192.168.1.0" },
  ],
  "IPPool pool2": [
    { nodeName: "node-33", startIP: "fd52:2eb5:44::1", endIP: "fd52:2eb5:44::1f4" },
    { nodeName: "node-34", startIP: "fd52:2eb5:44::1f5", endIP: "fd52:2eb5:44::3e8" },
  ],
  "CIDRPool pool1": [
    { nodeName: "node-33", prefix: "192.168.33.0/24", gateway: "192.168.33.10" },
    { nodeName: "node-34", prefix: "192.168.0.0/24", gateway: "192.168.0.1" },
  ],
};

describe.skipIf(lack.some)(`nv-ipam's pools${lack.words}`, () => {
  let cluster: PoolCluster;
  let controller: Controller;
  const at = (kind: PoolKind, name: string) => cluster.client.get<NvObject>(nvIpamPath(kind, name));
  const create = (
    kind: PoolKind,
    name: string,
    spec: object,
    allocations?: Parameters<typeof createNvIpamPool>[4],
  ) => createNvIpamPool(cluster.client, kind, name, spec, allocations);

  const allowOverlap = (kind: PoolKind, name: string) =>
    cluster.client.patch(
      nvIpamPath(kind, name),
      { metadata: { annotations: { "ipam.kube-node.io/allow-overlap": "true" } } },
      "merge",
    );

  beforeAll(async () => {
    cluster = await startPoolCluster();
    await installNvIpamResources(cluster.client);
    for (const name of ["node1", "node2", "node3", "node4"]) await cluster.createNode(name, { [name]: "" });
    controller = startController({ kubeconfig: cluster.kubeconfig, args: serve });
    await controller.said("its pools are served");
  }, 90_000);
  afterAll(async () => {
    controller?.kill("SIGKILL");
    await cluster?.close();
  });

  it.each(workedExamples)("$words", async ({ kind, spec, nodes, before, after, name }) => {
    const nodeSelector = {
      nodeSelectorTerms: Array.from({ length: nodes }, (_, i) => ({
        matchExpressions: [{ key: `node${i + 1}`, operator: "Exists" }],
      })),
    };
    await create(kind, name, { ...spec, nodeSelector }, before);
    await allowOverlap(kind, name);
    const served = await until(async () => {
      const pool = await at(kind, name);
      return pool.status?.allocations?.length === after.length && pool;
    }, `${name} has ${after.length} allocations`).catch(async (error) => {
      throw new Error(`${error.message}: ${JSON.stringify(await at(kind, name))}`);
    });
    expect(served.status?.allocations).toEqual(after);
    const unplaced = nodes - after.length;
    await until(
      async () => (await controller.metric("kube_node_pool_unplaced_nodes", `pool="${name}"`)) === unplaced,
      `${unplaced} Nodes have none`,
    );
  });

  it.each(manifestsOfNvIpam)(
    "its example $kind $metadata.name applies as it is, and is served",
    async (manifest) => {
      const { kind, metadata, spec } = manifest;
      const name = `example-${metadata.name}`;
      const annotations = { "ipam.kube-node.io/allow-overlap": "true" };
      await cluster.createNode("node-33", worker).catch(() => {});
      await cluster.createNode("node-34", worker).catch(() => {});
      await cluster.client.create(nvIpamPath(kind as PoolKind), {
        ...manifest,
        metadata: { ...metadata, name, annotations },
      });
      const served = await until(async () => {
        const pool = await at(kind as PoolKind, name);
        return pool.status?.allocations?.length === 2 && pool;
      }, `${name} has its allocations`);
      expect((served as { spec?: object }).spec).toEqual(spec);
      expect(served.status?.allocations).toEqual(givenByExamples[`${kind} ${metadata.name}`]);
    },
  );

  it.each(refusedExamples)("10 no gateway $gatewayIndex of a $perNodeNetworkPrefix", async (spec) => {
    const name = `refused-${spec.gatewayIndex}-${spec.perNodeNetworkPrefix}`;
    await create("CIDRPool", name, spec);
    await until(
      async () => (await controller.get("/metrics")).text.includes(`pool="${name}",reason="InvalidSpec"`),
      "it is said",
    );
    expect((await at("CIDRPool", name)).status).toBeUndefined();
  });
});
