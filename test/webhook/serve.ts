// Runs the webhook under Node or Bun for a test: serve.ts KUBECONFIG OPTIONS. Its clock goes `behind` milliseconds behind until a line comes in.
import { createInterface } from "node:readline";
import { openStreamLog } from "../../src/host/log.ts";
import { createClient } from "../../src/kube/client.ts";
import { readConnection } from "../../src/kube/connection.ts";
import { type CertificateSource, startWebhook } from "../../src/webhook/start.ts";

const [kubeconfig = "", options = "{}"] = process.argv.slice(2);
const given = JSON.parse(options) as { port: number; source: CertificateSource; behind: number };
const connection = await readConnection({ kubeconfig, env: {} });
const client = await createClient(connection);
let { behind } = given;
await startWebhook({
  client,
  address: { host: "127.0.0.1", port: given.port },
  source: given.source,
  log: openStreamLog("warn"),
  checkEvery: 50,
  now: () => new Date(Date.now() - behind),
});
createInterface({ input: process.stdin }).on("line", () => {
  behind = 0;
});
