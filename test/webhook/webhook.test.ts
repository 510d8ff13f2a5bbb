// The validating webhook, called by the real API server.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Log } from "../../src/host/log.ts";
import type { Client } from "../../src/kube/client.ts";
import { makeCertificate } from "../../src/webhook/certificate.ts";
import { startWebhook, type Webhook, type WebhookOptions } from "../../src/webhook/start.ts";
import { runtimes } from "../kube/runtimes.ts";
import { adminClient } from "../parts/admin-client.ts";
import type { ApiServer } from "../parts/api-server.ts";
import { findFreePort } from "../parts/free-port.ts";
import { type Answer, type Call, send } from "../parts/https-request.ts";
import { installPoolResources, poolPath, poolWebhook } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../parts/real-api-server.ts";
import { checkout } from "../parts/tools.ts";

const lack = reasonForNoRealApiServer();
const day = 24 * 60 * 60_000;
const names = { dns: ["kube-node-webhook.kube-system.svc"], ips: ["127.0.0.1"] };
const configuration = "kube-node";
const configurations = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const silent: Log = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

let api: ApiServer;
let client: Client;
let ask: (call: Call) => Promise<Answer>;
let port: number;
const running: Webhook[] = [];
const made: string[] = [];

async function start(secret: string, more: Partial<WebhookOptions> = {}, at = port): Promise<Webhook> {
  const source = { namespace: "kube-system", secret, names, lifetimeMs: 3 * day, configuration };
  const webhook = await startWebhook({
    client,
    address: { host: "127.0.0.1", port: at },
    source,
    log: silent,
    checkEvery: 50,
    ...more,
  });
  running.push(webhook);
  return webhook;
}

/** As the API server calls it from now on: each pool goes through it, or nowhere. */
async function configure(at?: number): Promise<void> {
  port = at ?? (await findFreePort());
  await client.patch(
    `${configurations}/${configuration}?fieldManager=test&force=true`,
    {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingWebhookConfiguration",
      metadata: { name: configuration },
      webhooks: [poolWebhook(`https://127.0.0.1:${port}/validate`)],
    },
    "apply",
  );
}

const pool = (name: string, spec: object) => ({
  apiVersion: "ipam.kube-node.io/v1alpha1",
  kind: "IPPool",
  metadata: { name },
  spec: { perNodeBlockSize: 8, ...spec },
});

async function create(name: string, spec: object): Promise<string> {
  const answer = await ask({ method: "POST", path: poolPath("IPPool"), body: pool(name, spec) });
  if (answer.status === 201) made.push(name);
  return answer.status === 201 ? "taken" : String((answer.json as { message?: string })?.message);
}

async function change(name: string, body: object): Promise<{ said: string; warning: string }> {
  const headers = { "content-type": "application/merge-patch+json" };
  const answer = await ask({ method: "PATCH", path: poolPath("IPPool", name), body, headers });
  const said = answer.status === 200 ? "taken" : String((answer.json as { message?: string }).message);
  return { said, warning: String(answer.headers["warning"] ?? "") };
}

const backwards = [{ startIP: "10.250.0.9", endIP: "10.250.0.1" }];
const probe = pool("probe", { subnet: "10.250.0.0/24", exclusions: backwards });

/** Until the API server has heard of the configuration and its authority: a watch that takes a moment. */
async function untilCalled(): Promise<void> {
  const path = `${poolPath("IPPool")}?dryRun=All`;
  await expect
    .poll(async () => (await ask({ method: "POST", path, body: probe })).text)
    .toContain("the end comes before the start");
}

const caBundle = async () => {
  const { webhooks } = await client.get<{ webhooks: { clientConfig: { caBundle?: string } }[] }>(
    `${configurations}/${configuration}`,
  );
  return Buffer.from(webhooks[0]?.clientConfig.caBundle ?? "", "base64").toString();
};
const countCertificates = (text: string) => text.split("-----BEGIN CERTIFICATE-----").length - 1;

const isSerial = (words: string) => /^[0-9A-F]+$/.test(words);

/** The certificate's serial number that a port shows, or why it shows none. */
function shownAt(at: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port: at, host: "127.0.0.1", rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on("error", (error) => resolve(error.message));
  });
}

describe.skipIf(lack)(`the webhook${lack ? ` (skipped: ${lack})` : ""}`, () => {
  beforeAll(async () => {
    api = await startRealApiServer();
    client = await adminClient(api);
    const credentials = await api.credentialsFor({ kind: "admin" });
    ask = (call) => send({ url: api.url, authority: api.authority, credentials }, call);
    await installPoolResources(client);
    await api.createNode({
      name: "w1",
      podCIDRs: ["10.2.0.0/24"],
      annotations: { "example.com/net": "10.3.0.0/24", note: "10.1.0.0 is mine" },
    });
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((webhook) => webhook.stop()));
    await client.remove(`${configurations}/${configuration}`);
    for (const name of made.splice(0)) await client.remove(poolPath("IPPool", name));
  });
  afterAll(async () => {
    client?.close();
    await api?.close();
  });

  it("says at apply time what the controller would say later", async () => {
    await configure();
    await start("says");
    await untilCalled();
    expect(await create("a", { subnet: "10.1.0.0/24" })).toBe("taken");
    expect(await create("b", { subnet: "10.1.0.128/25" })).toMatch(
      /10\.1\.0\.129-10\.1\.0\.254 of IPPool b are also of IPPool a: exclude them/,
    );
    expect(await create("b", { subnet: "10.2.0.0/16" })).toContain("are also of podCIDRs of w1");
    expect(await create("b", { subnet: "10.3.0.0/16" })).toContain(
      "are also of annotation example.com/net of w1",
    );
    expect(await create("b", { subnet: "10.96.0.0/24" })).toContain("are also of Services");
    expect(await create("b", { subnet: "10.2.0.0/24", allowOverlap: true })).toBe("taken");
    const exclusions = [{ startIP: "10.1.0.0", endIP: "10.1.0.255" }];
    expect(await create("c", { subnet: "10.1.0.0/23", exclusions })).toBe("taken");
  });

  it("lets nobody grow into others, and nobody be stuck", async () => {
    await configure();
    await start("grows");
    await untilCalled();
    expect(await create("a", { subnet: "10.1.0.0/24" })).toBe("taken");
    expect(await create("b", { subnet: "10.1.1.0/24" })).toBe("taken");
    expect((await change("a", { spec: { subnet: "10.1.0.0/23" } })).said).toContain("are also of IPPool b");
    await api.createNode({ name: "w2", podCIDRs: ["10.1.0.0/28"] });
    let first = 0;
    await expect
      .poll(() => change("a", { spec: { perNodeReserved: { first: ++first % 7 } } }))
      .toEqual({ said: "taken", warning: expect.stringContaining("podCIDRs of w2") });
    expect(await change("a", { metadata: { labels: { a: "b" } } })).toEqual({ said: "taken", warning: "" });
    await api.deleteNode("w2");
  });

  it("takes a pool with a warning where it can't know what others have", async () => {
    await configure();
    await start("blind", { known: () => Promise.reject(new Error("nothing is known")) });
    await untilCalled();
    expect(await create("a", { subnet: "10.2.0.0/24" })).toBe("taken");
    const { warning } = await change("a", { spec: { subnet: "10.2.0.0/23" } });
    expect(warning).toContain(
      "not compared with what other pools, Nodes and Services have: nothing is known",
    );
  });

  it("doesn't let anybody wait for what takes too long", async () => {
    await configure();
    const patch = [{ op: "add", path: "/webhooks/0/timeoutSeconds", value: 1 }];
    await client.patch(`${configurations}/${configuration}`, patch, "json");
    await start("slow", { known: () => new Promise(() => {}) });
    await untilCalled();
    expect(await create("a", { subnet: "10.2.0.0/24" })).toBe("taken");
    const { said, warning } = await change("a", { spec: { subnet: "10.2.0.0/23" } });
    expect([said, warning]).toEqual(["taken", expect.stringContaining("takes too long")]);
  });

  it("makes its certificate anew before it ends, and the API server trusts it", async () => {
    await configure();
    let now = () => new Date(Date.now() - 2.2 * day);
    const webhook = await start("renews", { now: () => now() });
    await untilCalled();
    const [first, bundle] = [await shownAt(port), await caBundle()];
    expect(countCertificates(bundle)).toBe(1);
    now = () => new Date();
    await expect.poll(() => shownAt(port)).toSatisfy((now) => isSerial(now) && now !== first);
    await expect.poll(() => webhook.health()).toMatchObject({ ready: true });
    // Another replica may still show the one before.
    expect(countCertificates(await caBundle())).toBe(2);
    expect(await caBundle()).toContain(bundle);
    await untilCalled();
  });

  it("two replicas that start at once show one certificate", async () => {
    await configure();
    const [one, two] = await Promise.all([start("shared"), start("shared", {}, 0)]);
    expect(await shownAt(one.port)).toBe(await shownAt(two.port));
    expect(countCertificates(await caBundle())).toBe(1);
    await untilCalled();
  });

  it("heals what somebody else did to its Secret and its configuration", async () => {
    await configure();
    const webhook = await start("heals");
    const before = await shownAt(port);
    await client.patch(
      "/api/v1/namespaces/kube-system/secrets/heals",
      { data: { "tls.crt": "bm9uZQ==" } },
      "merge",
    );
    await expect.poll(() => shownAt(port)).not.toBe(before);
    await client.patch(
      `${configurations}/${configuration}`,
      [{ op: "replace", path: "/webhooks/0/clientConfig/caBundle", value: btoa(api.authority) }],
      "json",
    );
    await untilCalled();
    expect(webhook.health()).toEqual({ live: true, ready: true, words: "answers" });
  });

  it.each(runtimes)("does so under %s", async (runtime) => {
    await configure();
    const source = { namespace: "kube-system", secret: runtime, names, lifetimeMs: 3 * day, configuration };
    const folder = mkdtempSync(join(tmpdir(), "webhook-"));
    writeFileSync(join(folder, "kubeconfig"), await api.kubeconfigFor({ kind: "admin" }), { mode: 0o600 });
    const options = JSON.stringify({ port, source, behind: 2.2 * day });
    const child = spawn(join(checkout, "node_modules/.bin", runtime), [
      fileURLToPath(new URL("serve.ts", import.meta.url)),
      join(folder, "kubeconfig"),
      options,
    ]);
    try {
      await untilCalled();
      const first = await shownAt(port);
      child.stdin.write("\n");
      await expect.poll(() => shownAt(port)).toMatch(/^[0-9A-F]+$/);
      await expect.poll(() => shownAt(port)).not.toBe(first);
      await untilCalled();
      expect(await create("a", { subnet: "10.1.0.0/24" })).toBe("taken");
      expect(await create("b", { subnet: "10.1.0.128/25" })).toContain("are also of IPPool a");
    } finally {
      child.kill();
      rmSync(folder, { recursive: true });
    }
  });

  it("waits for a configuration that isn't there yet", async () => {
    port = await findFreePort();
    const webhook = await start("early");
    expect(webhook.health()).toMatchObject({
      live: true,
      ready: false,
      words: expect.stringContaining("not found"),
    });
    await configure(port);
    await untilCalled();
  });

  it("serves somebody else's files, and what they change to", async () => {
    const folder = mkdtempSync(join(tmpdir(), "webhook-"));
    const [certificateFile, keyFile] = [join(folder, "tls.crt"), join(folder, "tls.key")];
    const put = async () => {
      const { certificate, key } = await makeCertificate(names, new Date(), day);
      writeFileSync(keyFile, key);
      writeFileSync(certificateFile, certificate);
    };
    await configure();
    const webhook = await start("", { source: { certificateFile, keyFile } });
    expect(webhook.health()).toMatchObject({ ready: false, words: expect.stringContaining("isn't there") });
    await put();
    await expect.poll(() => shownAt(port)).toMatch(/^[0-9A-F]+$/);
    const first = await shownAt(port);
    await put();
    await expect.poll(() => shownAt(port)).not.toBe(first);
    rmSync(folder, { recursive: true });
  });

  it("answers nothing but AdmissionReviews, and nothing when it has stopped", async () => {
    await configure();
    const webhook = await start("stops");
    const door = { url: `https://127.0.0.1:${port}`, authority: await caBundle(), credentials: {} };
    for (const call of [{ path: "/" }, { path: "/", method: "POST", body: { kind: "Pod" } }])
      expect(await send(door, call)).toMatchObject({
        status: 400,
        text: expect.stringContaining("AdmissionReview"),
      });
    await webhook.stop();
    expect(await shownAt(port)).toContain("ECONNREFUSED");
  });
});
