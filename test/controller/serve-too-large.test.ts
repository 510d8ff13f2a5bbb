// nv-ipam's status has an end, and NodeBlocks go on past it. etcd takes less here than elsewhere, so that some hundred Nodes get there.
import { afterAll, beforeAll, expect, it } from "vitest";
import { eachAtOnce } from "../../src/kube/at-once.ts";
import { createNvIpamPool, installNvIpamResources, nvIpamPath } from "../parts/nv-ipam-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Controller, startController } from "./parts/controller.ts";
import { makeFakeAgents } from "./parts/fake-agents.ts";
import { type PoolCluster, startPoolCluster, until } from "./parts/pool-cluster.ts";
import type { NvObject } from "./parts/worked-examples.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });
const [fitting, more] = [100, 400];
const long = "x".repeat(200);
let cluster: PoolCluster;
let controller: Controller | undefined;

beforeAll(async () => {
  if (lack.some) return;
  cluster = await startPoolCluster({ etcdFlags: ["--max-request-bytes=90000"] });
  await installNvIpamResources(cluster.client);
}, 90_000);
afterAll(async () => {
  controller?.kill("SIGKILL");
  await cluster?.close();
});

async function createNodes(group: string, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, i) => `${group}-${i}-${long}`);
  await eachAtOnce(names, 16, (name) => cluster.createNode(name, { group }));
}

const at = () => cluster.client.get<NvObject>(nvIpamPath("IPPool", "a"));
const allocations = async () => (await at()).status?.allocations ?? [];
const isSaid = (words: string) => async () =>
  (await controller?.get("/metrics"))?.text.includes(`pool="a",reason="${words}"`);

it.skipIf(lack.some)(
  `more Nodes than the status holds get their blocks all the same, it stays true, and is whole again once it fits${lack.words}`,
  async () => {
    await createNodes("first", fitting);
    await createNvIpamPool(cluster.client, "IPPool", "a", { subnet: "10.0.0.0/16", perNodeBlockSize: 16 });
    controller = startController({
      kubeconfig: cluster.kubeconfig,
      args: ["--serve-group=nv-ipam.nvidia.com", "--lease-duration=2s"],
    });
    await until(async () => (await allocations()).length === fitting, "all are in the status", 60_000);
    await createNodes("more", more);
    await until(
      async () => (await cluster.blocks()).length === fitting + more,
      "all Nodes have blocks",
      90_000,
    );
    await until(isSaid("StatusTooLarge"), "it is said", 60_000);
    const last = `more-${more - 1}-${long}`;
    await until(() => cluster.annotation(last, "a"), "the last one is shown its block", 60_000);
    const blocks = await cluster.blocks();
    const holders = new Map(blocks.map(({ spec }) => [spec.first, spec.nodeName]));
    expect(holders.size).toBe(fitting + more);
    const said = await allocations();
    expect(said.length).toBeGreaterThanOrEqual(fitting);
    expect(said.length).toBeLessThan(fitting + more);
    for (const { startIP, nodeName } of said) expect(holders.get(startIP ?? "")).toBe(nodeName);

    // Those go back whom the pool doesn't select any more.
    const term = { matchExpressions: [{ key: "group", operator: "In", values: ["first"] }] };
    const spec = { nodeSelector: { nodeSelectorTerms: [term] } };
    await cluster.client.patch(nvIpamPath("IPPool", "a"), { spec }, "merge");
    const agents = makeFakeAgents(cluster, 100);
    await until(
      async () => {
        await agents();
        return (await cluster.blocks()).length === fitting;
      },
      "the others' blocks are free",
      120_000,
    );
    await until(isSaid("Valid"), "it fits again", 90_000);
    const now = await allocations();
    expect(now.map(({ nodeName }) => nodeName)).toEqual(
      blocks.flatMap(({ spec: { nodeName } }) => (nodeName.startsWith("first") ? [nodeName] : [])).sort(),
    );
  },
  420_000,
);
