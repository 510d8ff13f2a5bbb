import { fold } from "../text/fold.ts";
import { type JsonObject, kindOf } from "../text/json.ts";
import { isPoolList, isPoolType, isSet, isText } from "./plugin-config.ts";

/** `ipam` of a configuration for nv-ipam, as far as it says something here. */
export type NvIpamConfig = {
  poolName?: string;
  poolType?: string;
  confDir?: string;
  logFile?: string;
  logLevel?: string;
  forcePoolName?: boolean;
};

/** Where its file of defaults lies unless confDir says otherwise. */
export const defaultConfDir = "/etc/cni/net.d/nv-ipam.d";
/** Its plugin's own default. */
export const defaultLogFile = "/var/log/nv-ipam-cni.log";

/** How its plugin reached its daemon: there is none here. */
export const daemonKeys: readonly string[] = ["daemonSocket", "daemonCallTimeoutSeconds"];

type Check = { isGood(value: unknown): boolean; expected: string };

const text: Check = { isGood: isText, expected: "a string" };
const checks: Record<string, Check> = {
  poolName: { isGood: isPoolList, expected: 'the name of a pool, or of two as in "v4pool,v6pool"' },
  poolType: { isGood: isPoolType, expected: "ippool or cidrpool" },
  confDir: { isGood: (value) => isText(value) && value.startsWith("/"), expected: "an absolute path" },
  logFile: text,
  logLevel: text,
  forcePoolName: { isGood: (value) => typeof value === "boolean", expected: "true or false" },
};

/** Its keys as they are written, those of the daemon too. */
export const nvIpamKeys: readonly string[] = [...Object.keys(checks), ...daemonKeys];

/** What is wrong at a key, as the key is written there. */
export type NvIpamFault = { key: string; words: string };

/** Go reads keys in any letter case. `rest` are keys that aren't nv-ipam's, `daemon` those that nobody reads any more. */
export function readNvIpamConfig(ipam: JsonObject): {
  config: NvIpamConfig;
  rest: JsonObject;
  daemon: string[];
  faults: NvIpamFault[];
} {
  const config: JsonObject = {};
  const rest: [string, unknown][] = [];
  const daemon: string[] = [];
  const faults: NvIpamFault[] = [];
  for (const [key, value] of Object.entries(ipam)) {
    const name = nvIpamKeys.find((known) => fold(known) === fold(key));
    const check = checks[name ?? ""];
    if (name === undefined) rest.push([key, value]);
    else if (!check) daemon.push(key);
    else if (Object.hasOwn(config, name))
      faults.push({ key, words: `${name} stands there twice: write it once` });
    else if (isSet(value) && !check.isGood(value))
      faults.push({ key, words: `expected ${check.expected}, found ${found(value)}` });
    else if (isSet(value)) config[name] = value;
  }
  return { config: config as NvIpamConfig, rest: Object.fromEntries(rest), daemon, faults };
}

function found(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value.slice(0, 80)) : kindOf(value);
}
