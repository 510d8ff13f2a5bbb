import { type Address, type logLevels, readAddress, readLevel, readPath, readTime } from "../daemon/flags.ts";
import { UsageError } from "../daemon/usage-error.ts";

export const credentialKinds = ["auto", "kubelet", "token", "none"] as const;

/**
 * What flags and environment say, checked once. Folders are the host's own names; `onHost` says where they are mounted here.
 * Times are milliseconds.
 */
export type AgentConfig = {
  nodeName: string;
  kubeconfig: string | undefined;
  hostRoot: string;
  cniBinDir: string;
  cniConfDir: string;
  runDir: string;
  dataDirs: string[];
  criSocket: string | undefined;
  metricsAddress: Address;
  healthAddress: Address | undefined;
  graceMs: number;
  leakIntervalMs: number;
  logLevel: (typeof logLevels)[number];
  cniConfig: string | undefined;
  /** Whose the plugin uses; "auto": the kubelet's where they can be seen, else a token. */
  credentials: (typeof credentialKinds)[number];
  /** NAME or NAMESPACE/NAME of the ServiceAccount whose token the plugin gets; without it the agent's own. */
  pluginAccount: string | undefined;
  dryRun: boolean;
  force: boolean;
  /** Whether the name nv-ipam is installed, too, in the place of the real one. */
  nvIpam: boolean;
  stay: boolean;
};

/** As commander has them: texts, but for switches and lists. */
export type Flags = {
  nodeName?: string;
  kubeconfig?: string;
  hostRoot: string;
  cniBinDir: string;
  cniConfDir: string;
  runDir: string;
  dataDir: string[];
  criSocket?: string;
  metricsAddress: string;
  healthAddress?: string;
  gracePeriod: string;
  leakInterval: string;
  logLevel: string;
  cniConfig?: string;
  credentials: (typeof credentialKinds)[number];
  pluginAccount?: string;
  dryRun?: boolean;
  force?: boolean;
  nvIpam?: boolean;
  stay?: boolean;
};

/** Throws a UsageError that names the flag. */
export function readConfig(flags: Flags): AgentConfig {
  return {
    nodeName: readNodeName(flags.nodeName),
    kubeconfig: flags.kubeconfig === undefined ? undefined : readPath("--kubeconfig", flags.kubeconfig),
    hostRoot: readPath("--host-root", flags.hostRoot).replace(/\/+$/, ""),
    cniBinDir: readPath("--cni-bin-dir", flags.cniBinDir),
    cniConfDir: readPath("--cni-conf-dir", flags.cniConfDir),
    runDir: readPath("--run-dir", flags.runDir),
    dataDirs: [...new Set(flags.dataDir.map((path) => readPath("--data-dir", path)))],
    criSocket: flags.criSocket === undefined ? undefined : readSocket(flags.criSocket),
    metricsAddress: readAddress("--metrics-address", flags.metricsAddress),
    healthAddress: flags.healthAddress ? readAddress("--health-address", flags.healthAddress) : undefined,
    graceMs: readTime("--grace-period", flags.gracePeriod, 0),
    leakIntervalMs: readTime("--leak-interval", flags.leakInterval, 1000),
    logLevel: readLevel(flags.logLevel),
    cniConfig: flags.cniConfig === undefined ? undefined : readPath("--cni-config", flags.cniConfig),
    credentials: flags.credentials,
    pluginAccount: flags.pluginAccount === undefined ? undefined : readAccount(flags.pluginAccount),
    dryRun: flags.dryRun === true,
    force: flags.force === true,
    nvIpam: flags.nvIpam === true,
    stay: flags.stay === true,
  };
}

/** Where a folder of the host's is, seen from here. */
export function onHost({ hostRoot }: Pick<AgentConfig, "hostRoot">, path: string): string {
  return `${hostRoot}${path}`;
}

function readNodeName(text: string | undefined): string {
  const remedy = "set it from the pod's spec.nodeName (NODE_NAME), or give --node-name=NAME";
  if (!text) throw new UsageError(`the node's name isn't known: ${remedy}`);
  if (!/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(text))
    throw new UsageError(
      `--node-name ${JSON.stringify(text.slice(0, 80))}: no Node can have this name: ${remedy}`,
    );
  return text;
}

function readSocket(text: string): string {
  return readPath("--cri-socket", text.replace(/^unix:\/\//, ""));
}

function readAccount(text: string): string {
  if (/^[a-z0-9.-]+(\/[a-z0-9.-]+)?$/.test(text)) return text;
  throw new UsageError(`--plugin-account ${text}: expected NAME or NAMESPACE/NAME of a ServiceAccount`);
}
