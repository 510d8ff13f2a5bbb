import type { Part } from "../daemon/part.ts";
import type { Log } from "../host/log.ts";
import type { Client } from "../kube/client.ts";
import type { ControllerConfig } from "./config.ts";

const service = "kube-node-webhook";
const configuration = "kube-node-pools";
const ownLifetimeMs = 90 * 24 * 60 * 60_000;

/** What the webhook's program needs to know; bin/program.ts starts it, as programs never import each other. */
export type WebhookStart = (options: {
  client: Client;
  log: Log;
  address: { host: string; port: number };
  source:
    | { certificateFile: string; keyFile: string }
    | {
        namespace: string;
        secret: string;
        names: { dns: string[]; ips: string[] };
        lifetimeMs: number;
        configuration: string;
      };
}) => Promise<Part>;

/** With the certificate that it is given, or one of its own, which is kept in a Secret and told to the API server. */
export function serveWebhook(
  { webhookAddress: address, webhookFiles, leaseNamespace: namespace }: ControllerConfig,
  { leaseClient: client, log }: { leaseClient: Client; log: Log },
  start: WebhookStart,
): Promise<Part> {
  const names = {
    dns: [`${service}.${namespace}.svc`, `${service}.${namespace}.svc.cluster.local`],
    // For whoever asks it on its own machine.
    ips: ["127.0.0.1", "::1"],
  };
  const own = { namespace, secret: service, names, lifetimeMs: ownLifetimeMs, configuration };
  return start({ client, log, address, source: webhookFiles ?? own });
}
