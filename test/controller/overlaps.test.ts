// Pools that overlap give nothing, and say with whom: against the real API server, by the compiled executable.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { poolPath } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Controller, startController } from "./parts/controller.ts";
import { type PoolCluster, startPoolCluster, until } from "./parts/pool-cluster.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });

describe.skipIf(lack.some)(`pools that overlap${lack.words}`, () => {
  let cluster: PoolCluster;
  let controller: Controller | undefined;

  beforeAll(async () => {
    cluster = await startPoolCluster();
    await cluster.api.createNode({
      ...{ name: "n1", podCIDRs: ["10.2.0.0/24"] },
      annotations: { "example.com/net": "10.6.0.0/24", note: "10.1.0.0 is mine" },
    });
  }, 90_000);
  afterAll(async () => await cluster?.close());
  afterEach(() => controller?.kill("SIGKILL"));

  const flat = (subnet: string) => ({ subnet, perNodeBlockSize: 8 });
  const overlap = async (name: string) => {
    const condition = await cluster.condition("IPPool", name);
    return condition?.reason === "Overlap" && condition.status === "False" ? condition.message : undefined;
  };

  it("give nothing until one yields or insists; the first one isn't disturbed", async () => {
    controller = startController({ kubeconfig: cluster.kubeconfig, args: [] });
    await cluster.createPool("IPPool", "first", flat("10.1.0.0/24"));
    await until(() => cluster.annotation("n1", "first"), "the first pool gave a block");
    await cluster.createPool("IPPool", "second", flat("10.1.0.128/25"));
    await cluster.createPool("IPPool", "pods", flat("10.2.0.0/16"));
    await cluster.createPool("IPPool", "services", flat("10.96.0.0/24"));
    await cluster.createPool("IPPool", "by-hand", flat("10.6.0.128/25"));
    const said = await until(() => overlap("second"), "the second says so");
    expect(said).toContain("10.1.0.129-10.1.0.254 of IPPool second are also of IPPool first");
    expect(await until(() => overlap("pods"), "podCIDRs are seen")).toContain("podCIDRs of n1");
    expect(await until(() => overlap("services"), "Services are seen")).toContain("are also of Services");
    expect(await until(() => overlap("by-hand"), "annotations are seen")).toContain(
      "10.6.0.129-10.6.0.254 of IPPool by-hand are also of annotation example.com/net of n1",
    );

    await cluster.createPool("IPPool", "free", flat("10.3.0.0/24"));
    await until(() => cluster.annotation("n1", "free"), "a pool beside them gives a block");
    expect((await cluster.blocks()).map(({ metadata }) => metadata.name)).toEqual([
      "ippool.first.0",
      "ippool.free.0",
    ]);
    expect(await cluster.condition("IPPool", "first")).toMatchObject({ status: "True" });

    await cluster.patchPool("IPPool", "second", { spec: { allowOverlap: true } });
    await until(() => cluster.annotation("n1", "second"), "it insists, and gives a block");
    const exclusions = [{ startIP: "10.2.0.0", endIP: "10.2.0.255" }];
    await cluster.patchPool("IPPool", "pods", { spec: { exclusions } });
    const annotation = await until(() => cluster.annotation("n1", "pods"), "it yields, and gives a block");
    expect(annotation.blocks[0]?.ranges[0]).toMatch(/^10\.2\.1\./);
    await cluster.patchNode("n1", { annotations: { "example.com/net": null } });
    await until(() => cluster.annotation("n1", "by-hand"), "a person yields, and it gives a block");
    await cluster.createNode("n2");
    await cluster.patchNode("n2", { annotations: { "example.com/net": "10.6.0.200-10.6.0.210/24" } });
    expect(await until(() => overlap("by-hand"), "a later annotation is seen")).toContain("of n2");
    expect((await cluster.annotation("n1", "by-hand"))?.blocks).toHaveLength(1);
    await cluster.patchPool("IPPool", "services", { spec: { allowOverlap: true } });
    await until(() => cluster.annotation("n1", "services"), "it insists, and gives a block");
  });

  it("of a pool that is deleted become free for the other one", async () => {
    await cluster.createPool("IPPool", "earlier", { ...flat("10.4.0.0/24"), nodeSelector: nobody });
    controller = startController({ kubeconfig: cluster.kubeconfig, args: [] });
    await until(async () => (await cluster.pool("IPPool", "earlier"))?.status?.grid, "the old one is there");
    await cluster.createPool("IPPool", "later", { ...flat("10.4.0.0/24"), nodeSelector: nobody });
    await until(() => overlap("later"), "the new one yields");
    await cluster.remove(poolPath("IPPool", "earlier"));
    await until(async () => (await overlap("later")) === undefined, "the new one is ready");
    expect(await cluster.pool("IPPool", "earlier")).toBeUndefined();
  });
});

const nobody = {
  nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["nobody"] }] }],
};
