import type { Part } from "../daemon/part.ts";
import type { ControllerContext } from "./context.ts";

/** What the manifests call them, in the controller's own namespace; a certificate of ours is for that Service. */
const service = "kube-node-webhook";
const secret = "kube-node-webhook";
const configuration = "kube-node-pools";

const lifetimeMs = 90 * 24 * 60 * 60_000;

/** Leader or not: the Service sends the API server to any replica. Nothing where no flag asks for it. */
export async function serveWebhook({ config, client, log }: ControllerContext): Promise<Part[]> {
  if (!config.webhook) return [];
  const { webhookAddress: address, webhookFiles: files } = config;
  const namespace = config.leaseNamespace;
  const names = { dns: [`${service}.${namespace}.svc`], ips: ["127.0.0.1", "::1"] };
  const { startWebhook } = await import("../webhook/start.ts");
  const source = files ?? { namespace, secret, names, lifetimeMs, configuration };
  return [await startWebhook({ client, log, address, source })];
}
