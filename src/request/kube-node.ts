import { ownKeys, type PluginConfig } from "../api/plugin-config.ts";
import type { Environment } from "../cni/environment.ts";
import type { Network } from "../cni/network.ts";
import { openLog, parseLevel } from "../host/log.ts";
import { openState } from "../lease/state.ts";
import { annotation, podCIDRs } from "../ranges/source.ts";
import { fold } from "../text/fold.ts";
import { isObject, type JsonObject } from "../text/json.ts";
import { didYouMean } from "../text/nearest.ts";
import { openBudget } from "./budget.ts";
import { refuseIpRanges } from "./ip-ranges.ts";
import { checkIpam, ipamOf } from "./ipam-config.ts";
import type { ReadRequest } from "./request.ts";

/** podCIDRs don't change while a Node lives; this long a Node that was made again under its name goes unnoticed. Seconds. */
const podCIDRsTTL = 300;

/** Keys of host-local's own that travel without a word. */
const hostLocalKeys = ["routes", "resolvConf"];

/** kube-node's own way of reading a request: all of it stands in `ipam`. */
export async function readKubeNodeRequest(
  network: Network,
  folders: string[],
  env: Environment,
  open: typeof openLog = openLog,
): Promise<ReadRequest> {
  const { config, rest } = await checkIpam(ipamOf(network.raw));
  refuseIpRanges(network.raw["runtimeConfig"]);
  const { dataDir, ipv4Namespaces, kubeconfig, nodeName } = config;
  const { source, pooled } = await readSource(config, network);
  const log = open(logFile(config), parseLevel(config.loglevel), {
    plugin: "kube-node",
    network: network.name,
  });
  warnOfUnknownKeys(rest, log);
  return {
    network,
    source,
    cacheTTL: config.cacheTTL ?? (source.immutable ? podCIDRsTTL : 0),
    ...(ipv4Namespaces && { ipv4Namespaces }),
    ...(kubeconfig !== undefined && { kubeconfig }),
    ...(nodeName !== undefined && { nodeName }),
    ...(dataDir !== undefined && { dataDir }),
    mayHaveLegacyCache: pooled === undefined,
    delegate: { name: config.nextipam ?? "host-local", folders },
    passedOn: rest,
    prepare: (ipam) => ipam,
    ...(pooled && { pooled }),
    state: openState(dataDir, network.name),
    budget: openBudget(config.timeout),
    env,
    log,
  };
}

/** What is for pools is loaded where a configuration, or a pod by its `args`, names some. */
async function readSource(
  config: PluginConfig,
  { name, cniVersion, raw }: Network,
): Promise<Pick<ReadRequest, "source" | "pooled">> {
  const source = config.annotation === undefined ? podCIDRs : annotation(config.annotation);
  const args = isObject(raw["args"]) ? raw["args"]["cni"] : undefined;
  const isAsked = isObject(args) && Object.keys(args).some((key) => fold(key) === fold("poolNames"));
  if (isAsked || config.pool !== undefined || config.poolType !== undefined)
    return (await import("./pools.ts")).readPools(config, { name, cniVersion, raw }) ?? { source };
  return { source };
}

/** The original's word for no log file. */
function logFile({ logfile }: PluginConfig): string | undefined {
  return logfile === "stdout" ? undefined : logfile;
}

function warnOfUnknownKeys(rest: JsonObject, log: ReadRequest["log"]): void {
  for (const key of Object.keys(rest)) {
    const hint = didYouMean(key, [...ownKeys, ...hostLocalKeys]);
    if (!hostLocalKeys.includes(key)) log.warn(`unknown key in ipam goes to the delegate${hint}`, { key });
  }
}
