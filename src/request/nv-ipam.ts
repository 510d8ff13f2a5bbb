import {
  defaultConfDir,
  defaultLogFile,
  type NvIpamConfig,
  readNvIpamConfig,
} from "../api/nv-ipam-config.ts";
import type { Environment } from "../cni/environment.ts";
import { CniError, code } from "../cni/error.ts";
import type { Network } from "../cni/network.ts";
import { readText } from "../host/files.ts";
import { type Log, openLog } from "../host/log.ts";
import { isPodsFile } from "../host/pods-files.ts";
import { fold } from "../text/fold.ts";
import {
  isObject,
  type JsonObject,
  JsonSyntaxError,
  kindOf,
  lineAndColumn,
  parseJson,
} from "../text/json.ts";
import { ipamOf } from "./ipam-config.ts";
import { readKubeNodeRequest } from "./kube-node.ts";
import type { ReadRequest } from "./request.ts";

/** Its words for levels, in our numbers. */
const levels: Record<string, number> & { info: number } = {
  verbose: 10,
  debug: 20,
  info: 30,
  warning: 40,
  error: 50,
  panic: 50,
};

/**
 * A configuration of nv-ipam's, read as its plugin reads it, with the defaults of `<confDir>/nv-ipam.conf`: a network of pools like any
 * other. Keys of kube-node's that stand beside nv-ipam's count, too.
 */
export async function readNvIpamRequest(
  network: Network,
  folders: string[],
  env: Environment,
  open: typeof openLog = openLog,
): Promise<ReadRequest> {
  const given = readNvIpamConfig(ipamOf(network.raw));
  refuseFaults("ipam configuration is malformed", "ipam.", given.faults);
  const config = { ...readDefaults(given.config.confDir ?? defaultConfDir), ...given.config };
  refuseNameless(config, network);
  const ipam = {
    ...given.rest,
    pool: config.poolName ?? network.name,
    poolType: config.poolType ?? "ippool",
    logfile: config.logFile ?? defaultLogFile,
  };
  const openAs: typeof openLog = (file, _level, context) =>
    open(file, levels[config.logLevel ?? ""] ?? levels.info, { ...context, plugin: "nv-ipam" });
  const request = await readKubeNodeRequest(
    { ...network, raw: { ...network.raw, ipam } },
    folders,
    env,
    openAs,
  );
  tellIgnored(given.daemon, request.log);
  return request;
}

/** The daemon is gone; the calls that it served are answered here. */
function tellIgnored(keys: string[], log: Log): void {
  if (keys.length > 0)
    log.info("keys of nv-ipam's daemon are passed over: there is no daemon, leave them out", { keys });
}

/** The file is the node's, as its DaemonSet wrote it; it may be absent. */
function readDefaults(folder: string): NvIpamConfig {
  const path = `${folder}/nv-ipam.conf`;
  if (isPodsFile(path)) {
    const hint = "name a folder of the node's";
    throw new CniError(code.invalidConfig, `ipam.confDir ${folder} lies where pods' files are`, hint);
  }
  const text = readText(path);
  if (text === undefined || text.trim() === "") return {};
  const { config, faults } = readNvIpamConfig(parse(path, text));
  refuseFaults(`${path} is malformed`, "", faults);
  return config;
}

function parse(path: string, text: string): JsonObject {
  const malformed = (words: string) => new CniError(code.invalidConfig, `${path} is malformed`, words);
  try {
    const value = parseJson(text);
    if (isObject(value)) return value;
    throw malformed(`expected a JSON object, found ${kindOf(value)}`);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw malformed(`${lineAndColumn(text, error.position)}: expected ${error.message}`);
  }
}

function refuseFaults(message: string, prefix: string, faults: { key: string; words: string }[]): void {
  if (faults.length === 0) return;
  const details = faults.map(({ key, words }) => `${prefix}${key}: ${words}`).join("; ");
  throw new CniError(code.invalidConfig, message, details);
}

/** A pod's own args may name the pool, too. */
function refuseNameless({ forcePoolName, poolName }: NvIpamConfig, { raw }: Network): void {
  if (!forcePoolName || poolName !== undefined) return;
  const args = isObject(raw["args"]) ? raw["args"]["cni"] : undefined;
  if (isObject(args) && Object.keys(args).some((key) => fold(key) === fold("poolNames"))) return;
  const hint = "ipam.poolName: expected the name of a pool, which forcePoolName asks for";
  throw new CniError(code.invalidConfig, "ipam names no pool", hint);
}
