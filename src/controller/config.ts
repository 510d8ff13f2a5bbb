import { readFileSync } from "node:fs";
import { nvIpamGroup } from "../api/nv-ipam.ts";
import { type Address, type logLevels, readAddress, readLevel, readPath, readTime } from "../daemon/flags.ts";
import { UsageError } from "../daemon/usage-error.ts";

/** What flags and environment say, checked once. Times are milliseconds. */
export type ControllerConfig = {
  kubeconfig: string | undefined;
  /** Who this is among several, as the Lease names it. */
  identity: string;
  leaderElect: boolean;
  leaseNamespace: string;
  leaseDurationMs: number;
  metricsAddress: Address;
  healthAddress: Address | undefined;
  /** Where heap and CPU snapshots are to be had; nowhere unless asked for. */
  debugAddress: Address | undefined;
  requestsPerSecond: number;
  workers: number;
  statusIntervalMs: number;
  webhook: boolean;
  webhookAddress: Address;
  /** Renewed by somebody else; undefined: the webhook makes a certificate of its own. */
  webhookFiles: { certificateFile: string; keyFile: string } | undefined;
  /** Whose pools are served beside ours: nv-ipam's in one namespace, while nobody holds its Lease in any of these. */
  serve: { namespace: string; leaseNamespaces: string[] } | undefined;
  logLevel: (typeof logLevels)[number];
};

/** As commander has them. */
export type Flags = {
  kubeconfig?: string;
  identity: string;
  leaderElect: boolean | string;
  leaderElectNamespace?: string;
  leaseDuration: string;
  metricsAddress: string;
  healthAddress?: string;
  debugAddress?: string;
  requestsPerSecond: string;
  workers: string;
  statusInterval: string;
  webhook?: boolean;
  webhookAddress: string;
  webhookCertificate?: string;
  webhookKey?: string;
  serveGroup?: string;
  serveNamespace: string;
  serveLeaseNamespaces?: string;
  logLevel: string;
};

const ownNamespace = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/** Throws a UsageError that names the flag. */
export function readConfig(flags: Flags): ControllerConfig {
  return {
    kubeconfig: flags.kubeconfig === undefined ? undefined : readPath("--kubeconfig", flags.kubeconfig),
    identity: flags.identity,
    leaderElect: readSwitch("--leader-elect", flags.leaderElect),
    leaseNamespace: flags.leaderElectNamespace ?? readOwnNamespace() ?? "kube-system",
    leaseDurationMs: readTime("--lease-duration", flags.leaseDuration, 1000),
    metricsAddress: readAddress("--metrics-address", flags.metricsAddress),
    healthAddress: flags.healthAddress ? readAddress("--health-address", flags.healthAddress) : undefined,
    debugAddress: flags.debugAddress ? readLocalAddress("--debug-address", flags.debugAddress) : undefined,
    requestsPerSecond: readNumber("--requests-per-second", flags.requestsPerSecond, 1, 10_000),
    workers: readNumber("--workers", flags.workers, 1, 200),
    statusIntervalMs: readTime("--status-interval", flags.statusInterval, 0),
    webhook: flags.webhook === true,
    webhookAddress: readAddress("--webhook-address", flags.webhookAddress),
    webhookFiles: readPair(flags),
    serve: readServe(flags),
    logLevel: readLevel(flags.logLevel),
  };
}

function readPair({ webhookCertificate, webhookKey }: Flags): ControllerConfig["webhookFiles"] {
  if (webhookCertificate === undefined && webhookKey === undefined) return undefined;
  if (webhookCertificate === undefined || webhookKey === undefined)
    throw new UsageError(
      "--webhook-certificate and --webhook-key: give both, or none for a certificate of its own",
    );
  return {
    certificateFile: readPath("--webhook-certificate", webhookCertificate),
    keyFile: readPath("--webhook-key", webhookKey),
  };
}

function readServe({
  serveGroup,
  serveNamespace: namespace,
  serveLeaseNamespaces,
}: Flags): ControllerConfig["serve"] {
  if (serveGroup === undefined) return undefined;
  if (serveGroup !== nvIpamGroup)
    throw new UsageError(
      `--serve-group ${serveGroup}: expected ${nvIpamGroup}, the only one that can be served`,
    );
  const others = (serveLeaseNamespaces ?? "").split(",").map((one) => one.trim());
  return { namespace, leaseNamespaces: [...new Set([namespace, ...others.filter((one) => one !== "")])] };
}

function readOwnNamespace(): string | undefined {
  try {
    return readFileSync(ownNamespace, "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}

function readSwitch(flag: string, value: boolean | string): boolean {
  if (typeof value === "boolean") return value;
  if (value === "true" || value === "false") return value === "true";
  throw new UsageError(`${flag}=${value}: expected true or false`);
}

function readNumber(flag: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new UsageError(`${flag} ${text}: expected a whole number from ${least} to ${most}`);
}

/** A heap's snapshot holds everything that the program knows, its token too. */
function readLocalAddress(flag: string, text: string): Address {
  const address = readAddress(flag, text);
  if (["127.0.0.1", "::1", "localhost"].includes(address.host)) return address;
  throw new UsageError(
    `${flag} ${text}: expected 127.0.0.1 or [::1]: what is served there is for nobody else`,
  );
}
