import { fold } from "../text/fold.ts";
import type { JsonObject } from "../text/json.ts";
import { isPoolName } from "./pool-kind.ts";

/** `ipam` of a kube-node configuration. Durations in seconds. */
export type PluginConfig = {
  /** The Node's annotation that holds the ranges; without one they are spec.podCIDRs. */
  annotation?: string;
  /** The pools that the ranges come from, one or two of one kind, instead of an annotation. */
  pool?: string;
  poolType?: string;
  dataDir?: string;
  /** Namespaces whose pods get IPv4; absent: all of them. */
  ipv4Namespaces?: string[];
  kubeconfig?: string;
  logfile?: string;
  loglevel?: string;
  nodeName?: string;
  /** How long an answer of the API server counts as fresh. */
  cacheTTL?: number;
  /** What a whole call may take. */
  timeout?: number;
  nextipam?: string;
};

/** Keys as people write them, the values they take, and whether a value is such a one. `null` and "" mean absent, as in Go. */
const keys = {
  annotation: isText,
  pool: isPoolList,
  poolName: isPoolList,
  poolType: isPoolType,
  dataDir: isText,
  "ipv4-namespaces": (value: unknown) => Array.isArray(value) && value.every(isText),
  kubeconfig: isText,
  logfile: isText,
  loglevel: (value: unknown) => isText(value) || Number.isSafeInteger(value),
  nodeName: isText,
  cacheTTL: isSeconds,
  timeout: (value: unknown) =>
    isSeconds(value) && (value as number) >= shortestTimeout && (value as number) <= longestTimeout,
  nextipam: isProgramName,
  type: isText,
} satisfies Record<string, (value: unknown) => boolean>;

export const shortestTimeout = 2;
export const longestTimeout = 220;

/** Keys that kube-node itself reads. */
export const ownKeys: readonly string[] = Object.keys(keys);

/** host-local's own words for ranges: they would pass by the Node and the gating. */
export const reservedKeys: readonly string[] = ["ranges", "subnet", "rangeStart", "rangeEnd", "gateway"];

/** Our own programs would call each other without end. */
export const ownPrograms: readonly string[] = ["kube-node", "node-annotation", "nv-ipam"];

export function isText(value: unknown): value is string {
  return typeof value === "string" && !value.includes("\0");
}

/** `"a"`, or `"v4pool,v6pool"` for an address of each. */
export function isPoolList(value: unknown): value is string {
  if (typeof value !== "string") return false;
  const names = value.split(",").map((name) => name.trim());
  return names.length <= 2 && names.every(isPoolName) && names[0] !== names[1];
}

export function isPoolType(value: unknown): value is string {
  return typeof value === "string" && /^(ippool|cidrpool)$/i.test(value);
}

/** Keys that exclude one another: the ranges come from one place, which has one name. */
export const rivals: readonly (readonly [string, string])[] = [
  ["annotation", "pool"],
  ["annotation", "poolName"],
  ["annotation", "poolType"],
  ["pool", "poolName"],
];

function isSeconds(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

/** A name to be found in CNI_PATH, never a path: a tenant's configuration must not choose what root runs. */
export function isProgramName(value: unknown): value is string {
  return (
    typeof value === "string" && /^[^/\s\0]*$/.test(value) && ![".", "..", ...ownPrograms].includes(value)
  );
}

/** Own keys in their proper spelling, and the rest, which travels to the delegate. */
export type SplitConfig = { own: JsonObject; rest: JsonObject };

/** Go reads keys in any letter case, and so did the original. Undefined where a key is reserved or comes in two spellings. */
export function splitConfig(ipam: JsonObject): SplitConfig | undefined {
  const own: JsonObject = {};
  const rest: [string, unknown][] = [];
  for (const [key, value] of Object.entries(ipam)) {
    const name = Object.hasOwn(keys, key) ? key : ownKeys.find((known) => fold(known) === fold(key));
    if (name !== undefined ? Object.hasOwn(own, name) : isReserved(key)) return undefined;
    if (name !== undefined) own[name] = value;
    else rest.push([key, value]);
  }
  return { own, rest: Object.fromEntries(rest) };
}

export function isReserved(key: string): boolean {
  return reservedKeys.some((word) => fold(word) === fold(key));
}

/** The configuration, or undefined where something is wrong with it: then `explainConfig` says what. */
export function readConfig(ipam: JsonObject): { config: PluginConfig; rest: JsonObject } | undefined {
  const split = splitConfig(ipam);
  if (!split) return undefined;
  const { own, rest } = split;
  for (const [key, isGood] of Object.entries(keys)) {
    if (isSet(own[key]) && !isGood(own[key])) return undefined;
  }
  if (rivals.some(([one, other]) => isSet(own[one]) && isSet(own[other]))) return undefined;
  const pool = isSet(own["pool"]) ? own["pool"] : own["poolName"];
  const text = (key: string) => (isSet(own[key]) ? { [key]: String(own[key]) } : {});
  const seconds = (key: string) => (isSet(own[key]) ? { [key]: own[key] as number } : {});
  const namespaces = own["ipv4-namespaces"];
  return {
    config: {
      ...text("annotation"),
      ...(isSet(pool) && { pool: String(pool) }),
      ...text("poolType"),
      ...text("dataDir"),
      ...(isSet(namespaces) && { ipv4Namespaces: namespaces as string[] }),
      ...text("kubeconfig"),
      ...text("logfile"),
      ...text("loglevel"),
      ...text("nodeName"),
      ...seconds("cacheTTL"),
      ...seconds("timeout"),
      ...text("nextipam"),
    },
    rest,
  };
}

export function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "";
}
