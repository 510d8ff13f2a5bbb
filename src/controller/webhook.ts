import type { Address } from "../daemon/flags.ts";
import type { Part } from "../daemon/part.ts";
import type { Log } from "../host/log.ts";
import type { Client } from "../kube/client.ts";
import type { ControllerConfig } from "./config.ts";
import type { ControllerContext } from "./context.ts";

/** Files of somebody else's, or a certificate that the webhook makes, keeps in a Secret, and tells the API server of. */
export type CertificateSource =
  | { certificateFile: string; keyFile: string }
  | {
      namespace: string;
      secret: string;
      names: { dns: string[]; ips: string[] };
      lifetimeMs: number;
      configuration: string;
    };

/** The webhook is a program of its own; bin/program.ts brings the two together. */
export type StartWebhook = (options: {
  client: Client;
  address: Address;
  source: CertificateSource;
  log: Log;
}) => Promise<Part>;

const day = 24 * 3_600_000;

/** As examples/controller names them: a Service and a Secret of one name, and the webhook's configuration. */
const [service, configuration] = ["kube-node-webhook", "kube-node-pools"];

/** Every replica answers, whoever leads. */
export function startOwnWebhook(
  { config, leaseClient, log }: ControllerContext,
  start: StartWebhook,
): Promise<Part> {
  return start({ client: leaseClient, address: config.webhookAddress, source: sourceOf(config), log });
}

function sourceOf({ webhookFiles, leaseNamespace: namespace }: ControllerConfig): CertificateSource {
  if (webhookFiles) return webhookFiles;
  const names = { dns: [`${service}.${namespace}.svc`], ips: [] };
  return { namespace, secret: service, names, lifetimeMs: 90 * day, configuration };
}
