// Pools are cut into blocks and shown on Nodes: against the real API server, by the compiled executable.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Controller, startController } from "./parts/controller.ts";
import { type PoolCluster, startPoolCluster, until } from "./parts/pool-cluster.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });

describe.skipIf(lack.some)(`pools on the real API server${lack.words}`, () => {
  let cluster: PoolCluster;
  let controllers: Controller[] = [];

  beforeAll(async () => {
    cluster = await startPoolCluster();
  }, 90_000);
  afterAll(async () => await cluster?.close());
  afterEach(async () => {
    for (const one of controllers) one.kill("SIGKILL");
    controllers = [];
  });

  function start(...args: string[]): Controller {
    const controller = startController({ kubeconfig: cluster.kubeconfig, args });
    controllers.push(controller);
    return controller;
  }

  it("gives each Node a block, and each Node that comes later; twice started it writes nothing", async () => {
    await cluster.createPool("IPPool", "a", {
      subnet: "10.1.0.0/16",
      perNodeBlockSize: 32,
      gateway: "10.1.0.1",
    });
    await cluster.createPool("CIDRPool", "a", {
      cidr: "10.2.0.0/16",
      perNodeNetworkPrefix: 24,
      gatewayIndex: 1,
    });
    for (const name of ["n1", "n2", "n3"]) await cluster.createNode(name, { zone: "x" });
    const controller = start();
    const annotation = await until(() => cluster.annotation("n1", "a"), "n1 has its block");
    expect(annotation).toMatchObject({
      version: 1,
      nodeUID: (await cluster.node("n1"))?.metadata.uid,
      holdsFor: 43_200,
    });
    await until(() => cluster.annotation("n3", "a", "CIDRPool"), "n3 has its prefix");
    await cluster.createNode("n4");
    await until(() => cluster.annotation("n4", "a", "CIDRPool"), "n4 has its prefix");
    const blocks = await cluster.blocks();
    expect(blocks).toHaveLength(8);
    expect(new Set(blocks.map(({ metadata }) => metadata.name))).toEqual(
      new Set([0, 1, 2, 3].flatMap((index) => [`ippool.a.${index}`, `cidrpool.a.${index}`])),
    );
    await until(async () => (await cluster.condition("IPPool", "a"))?.status === "True", "the pool is ready");
    await until(
      async () => (await cluster.pool("IPPool", "a"))?.status?.blocks?.given === 4,
      "they are counted",
    );
    expect((await cluster.pool("IPPool", "a"))?.status?.grid).toEqual({ first: "10.1.0.1", size: "32" });
    expect(await controller.stop()).toBe(0);

    const versions = async () => (await cluster.blocks()).map(({ metadata }) => metadata.resourceVersion);
    const before = await versions();
    const again = start();
    await again.said("everything is listed");
    await until(async () => (await again.metric("kube_node_controller_queue_length")) === 0, "it is idle");
    await cluster.patchNode("n1", { annotations: { "example.org/heartbeat": "1" } });
    await cluster.createNode("n5");
    await until(() => cluster.annotation("n5", "a", "CIDRPool"), "n5 has its prefix");
    expect(await versions()).toEqual(expect.arrayContaining(before));
    expect(await again.metric("kube_node_controller_api_requests_total", 'verb="POST"')).toBe(2);
    expect(await again.metric("kube_node_controller_writes_total", "annotation")).toBe(1);
  });
});
