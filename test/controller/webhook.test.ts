// The controller's executable as the API server's webhook, with the certificate that it makes.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApiError } from "../../src/kube/api-error.ts";
import { findFreePort } from "../parts/free-port.ts";
import { poolWebhook } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Controller, startController } from "./parts/controller.ts";
import { type PoolCluster, startPoolCluster, until } from "./parts/pool-cluster.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });

describe.skipIf(lack.some)(`the controller's webhook${lack.words}`, () => {
  let cluster: PoolCluster;
  const controllers: Controller[] = [];

  beforeAll(async () => {
    cluster = await startPoolCluster();
  }, 90_000);
  afterAll(async () => {
    for (const one of controllers) one.kill("SIGKILL");
    await cluster?.close();
  });

  async function configure(port: number): Promise<void> {
    await cluster.client.create("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", {
      metadata: { name: "kube-node-pools" },
      webhooks: [poolWebhook(`https://127.0.0.1:${port}/`)],
    });
  }

  it("answers by the leader and by who waits for the lead; its pools stay writable to the controller", async () => {
    const ports = [await findFreePort(), await findFreePort()];
    await configure(ports[1] as number);
    for (const port of ports) {
      const args = [
        "--webhook",
        `--webhook-address=127.0.0.1:${port}`,
        "--leader-elect-namespace=kube-system",
      ];
      controllers.push(startController({ kubeconfig: cluster.kubeconfig, args }));
      await controllers.at(-1)?.said("the webhook answers");
    }
    const create = (name: string, subnet: string) =>
      cluster.createPool("IPPool", name, { subnet, perNodeBlockSize: 8 }).then(
        () => "taken",
        (error: ApiError) => error.message,
      );
    await until(async () => (await create("a", "10.1.0.0/24")) === "taken", "the API server trusts it");
    expect(await create("b", "10.1.0.0/16")).toContain("of IPPool b are also of IPPool a");
    await cluster.createNode("n1");
    await until(() => cluster.annotation("n1", "a"), "the controller gives blocks");
    await until(
      async () => (await cluster.condition("IPPool", "a"))?.status === "True",
      "and writes its status",
    );
  });

  it("is told of flags that make no sense", async () => {
    const controller = startController({ kubeconfig: cluster.kubeconfig, args: ["--webhook-key=/tmp/key"] });
    expect(await controller.exited).toBe(2);
  });
});
