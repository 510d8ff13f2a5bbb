// The controller with examples/controller/overlays/own-certificate: its rights are enough for a certificate of its own, and for nothing more.
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Controller, startController } from "../controller/parts/controller.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { checkout, kubectl, whatLacks } from "../parts/tools.ts";
import { askWebhook, poolOf, type Review } from "./parts/ask-webhook.ts";
import { type Court, openCourt, waitFor } from "./parts/rights.ts";

const missing = reasonForNoRealApiServer();
const lack = whatLacks(missing ? { missing } : {}, kubectl());
const overlay = join(checkout, "examples/controller/overlays/own-certificate");

describe.skipIf(lack.some)(`the controller's webhook with a certificate of its own${lack.words}`, () => {
  let court: Court;
  let controller: Controller;
  let authority = "";

  beforeAll(async () => {
    court = await openCourt();
    await court.kube("admin", ["apply", "-k", overlay]);
    await court.logIn("controller", "kube-node-controller");
    const kubeconfig = court.kubeconfigOf("controller");
    const env = { POD_NAME: "one", POD_NAMESPACE: "kube-node" };
    controller = startController({ kubeconfig, env, args: ["--webhook", "--webhook-address=127.0.0.1:0"] });
    await controller.said("the webhook answers", 60_000);
  }, 120_000);
  afterAll(async () => {
    await controller?.stop();
    await court?.close();
  });

  it("keeps it in its Secret, and tells the API server of it", async () => {
    await waitFor(async () => {
      const path = "jsonpath={.webhooks[0].clientConfig.caBundle}";
      const words = ["get", "validatingwebhookconfiguration", "kube-node-pools", "-o", path];
      authority = Buffer.from(await court.kube("admin", words), "base64").toString();
      expect(authority).toContain("BEGIN CERTIFICATE");
    });
    const secret = [
      "get",
      "secret",
      "kube-node-webhook",
      "--namespace=kube-node",
      "-o",
      "jsonpath={.data.tls\\.crt}",
    ];
    expect(Buffer.from(await court.kube("admin", secret), "base64").toString()).toContain(
      "BEGIN CERTIFICATE",
    );
  });

  it("answers as the Service's name, of a pool that overlaps with another", async () => {
    await court.kube("admin", ["create", "-f", "-"], poolOf("a", "10.1.0.0/24"));
    expect(await ask(poolOf("b", "10.2.0.0/24"))).toMatchObject({ allowed: true });
    const refused = await ask(poolOf("b", "10.1.0.128/25"));
    expect(refused.allowed).toBe(false);
    expect(refused.status?.message).toContain("IPPool a");
  });

  it("has no right to other Secrets, nor to other configurations", async () => {
    const forbidden = /forbidden/i;
    for (const words of [
      ["get", "secrets", "--namespace=kube-node"],
      ["get", "secret", "other", "--namespace=kube-node"],
      ["get", "secret", "kube-node-webhook", "--namespace=default"],
      ["delete", "secret", "kube-node-webhook", "--namespace=kube-node"],
      ["get", "validatingwebhookconfigurations"],
      ["delete", "validatingwebhookconfiguration", "kube-node-pools"],
    ])
      expect(await court.outcome("controller", words), words.join(" ")).toMatch(forbidden);
  });

  async function ask(object: ReturnType<typeof poolOf>): Promise<Review> {
    const { port } = await controller.said("the webhook answers");
    return askWebhook(Number(port), authority, object);
  }
});
