// One of several controllers works: the others wait for its Lease. On the real API server.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Controller, startController } from "./parts/controller.ts";
import { type PoolCluster, startPoolCluster, until } from "./parts/pool-cluster.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });
const lease = "/apis/coordination.k8s.io/v1/namespaces/default/leases/kube-node-controller";

describe.skipIf(lack.some)(`leader election${lack.words}`, () => {
  let cluster: PoolCluster;
  let controllers: Controller[] = [];

  beforeAll(async () => {
    cluster = await startPoolCluster();
    await cluster.createPool("IPPool", "a", { subnet: "10.1.0.0/24", perNodeBlockSize: 4 });
  }, 90_000);
  afterAll(async () => await cluster?.close());
  afterEach(() => {
    for (const one of controllers) one.kill("SIGKILL");
    controllers = [];
  });

  function start(identity: string, duration = "2s"): Controller {
    const args = [
      "--leader-elect",
      `--lease-duration=${duration}`,
      "--leader-elect-namespace=default",
      `--identity=${identity}`,
    ];
    const controller = startController({ kubeconfig: cluster.kubeconfig, args });
    controllers.push(controller);
    return controller;
  }
  const holder = async () =>
    (await cluster.client.get<{ spec: { holderIdentity: string } }>(lease)).spec.holderIdentity;

  it("is handed over at SIGTERM at once, and another one goes on", async () => {
    const one = start("one", "15s");
    await one.said("this one leads");
    const two = start("two", "15s");
    await two.said("serving health");
    await until(
      async () => (await two.get("/readyz")).text.includes("one leads; this one waits"),
      "it waits",
    );
    expect((await two.get("/readyz")).status).toBe(200);
    expect(await two.metric("kube_node_controller_leader")).toBe(0);
    expect(await one.metric("kube_node_controller_leader")).toBe(1);
    await cluster.createNode("l1");
    await until(() => cluster.annotation("l1", "a"), "l1 has its block");
    expect(await one.stop()).toBe(0);
    await two.said("this one leads", 8000); // Long before the Lease runs out.
    expect(await holder()).toBe("two");
    await cluster.createNode("l2");
    await until(() => cluster.annotation("l2", "a"), "l2 has its block");
    expect(await two.stop()).toBe(0); // Killed, it would leave its Lease to the next test.
  });

  it("both end at SIGTERM: one that waits never leads, and nobody holds the Lease then", async () => {
    const one = start("first", "15s");
    await one.said("this one leads");
    const two = start("second", "15s");
    await two.said("serving health");
    await until(async () => (await two.get("/readyz")).text.includes("this one waits"), "it waits");
    const before = performance.now();
    expect(await two.stop()).toBe(0);
    expect(performance.now() - before).toBeLessThan(10_000);
    expect(await holder()).toBe("first");
    expect(await one.stop()).toBe(0);
    expect(await holder()).toBe("");
    expect(two.lines().filter(({ msg }) => msg === "this one leads")).toEqual([]);
  });

  it("is taken from one that stands still, which ends once it moves again", async () => {
    const one = start("three");
    await one.said("this one leads");
    const two = start("four");
    await two.said("serving health");
    one.kill("SIGSTOP");
    await two.said("this one leads");
    await cluster.createNode("l3");
    await until(() => cluster.annotation("l3", "a"), "l3 has its block");
    one.kill("SIGCONT");
    expect(await one.exited).toBe(1);
    expect((await one.said("this program gives up"))["reason"]).toMatch(/leads now|renewed in time/);
    expect(await holder()).toBe("four");
  });
});
