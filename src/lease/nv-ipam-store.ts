import { statSync } from "node:fs";
import { type Ip, parseIp } from "../address/ip.ts";
import { CniError, code } from "../cni/error.ts";
import { readText } from "../host/files.ts";
import {
  isObject,
  type JsonObject,
  JsonSyntaxError,
  kindOf,
  lineAndColumn,
  locateJson,
} from "../text/json.ts";

/** Where nv-ipam's daemon keeps its leases, and where it listens. */
export const nvIpamStore = "/var/lib/cni/nv-ipam/store";
export const nvIpamSocket = "/var/lib/cni/nv-ipam/daemon.sock";

/** One of its leases. `pool` is its key for the pool: the name of an IPPool, `cidrpool/` before that of a CIDRPool. */
export type OldLease = {
  pool: string;
  containerID: string;
  ifname: string;
  ip: Ip;
  pod: { namespace?: string; name?: string; uid?: string };
  /** Why it can't be believed; absent where nothing speaks against it. */
  doubt?: string;
};

/** `mark` names this very state of the file. */
export type OldStore = { mark: string; pools: string[]; leases: OldLease[] };

const longest = 64 << 20;

/** The key of a pool in its store. */
export function oldPoolKey(kind: string, name: string): string {
  return kind === "CIDRPool" ? `cidrpool/${name}` : name;
}

/** What `mark` the store has now; undefined where there is none. */
export function markOfStore(path = nvIpamStore): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat && `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
}

/** When it was last written, in milliseconds since 1970; undefined where there is none. */
export function timeOfStore(path = nvIpamStore): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

/**
 * All of its leases; undefined where there is no store. Throws code 11 where it can't be understood: then nothing is known to be free. Its
 * checksum is by an algorithm of its own, and isn't compared.
 */
export function readOldStore(path = nvIpamStore): OldStore | undefined {
  const mark = markOfStore(path);
  const text = mark === undefined ? undefined : readStore(path);
  if (mark === undefined || text === undefined) return undefined;
  try {
    const { value } = locateJson(text);
    const pools = readPools(value);
    const leases = pools.flatMap(([pool, entries]) => readEntries(pool, entries));
    return { mark, pools: pools.map(([pool]) => pool), leases };
  } catch (error) {
    if (error instanceof JsonSyntaxError)
      throw unreadable(path, `${lineAndColumn(text, error.position)}: expected ${error.message}`);
    if (error instanceof Misfit) throw unreadable(path, misfitWords(text, error));
    throw error;
  }
}

function readStore(path: string): string | undefined {
  try {
    return readText(path, longest);
  } catch (error) {
    throw unreadable(path, (error as Error).message);
  }
}

function unreadable(path: string, words: string): CniError {
  const hint = `${words}; what it holds isn't known, so no address is given: mend it, or move it away once its pods are gone`;
  return new CniError(code.tryAgainLater, `nv-ipam's store ${path} can't be understood`, hint);
}

class Misfit extends Error {
  readonly path: string;

  constructor(path: string, words: string) {
    super(words);
    this.path = path;
  }
}

function misfitWords(text: string, { path, message }: Misfit): string {
  const position = locateJson(text).positions.get(path);
  const where = position === undefined ? "" : `${lineAndColumn(text, position)}: `;
  return `${where}${path === "" ? "" : `${path}: `}${message}`;
}

function readPools(value: unknown): [pool: string, entries: JsonObject][] {
  if (!isObject(value)) throw new Misfit("", `expected an object, found ${kindOf(value)}`);
  const { version, pools } = value;
  if (version !== 1)
    throw new Misfit("version", `expected 1, found ${JSON.stringify(version) ?? "nothing"}`.slice(0, 80));
  if (pools === undefined || pools === null) return [];
  return Object.entries(objectAt(pools, "pools")).map(([pool, inner]) => {
    const { entries } = objectAt(inner, `pools.${pool}`);
    const isEmpty = entries === undefined || entries === null;
    return [pool, isEmpty ? {} : objectAt(entries, `pools.${pool}.entries`)];
  });
}

/** Of an entry without an address it isn't known which one it holds: then it may be any. */
function readEntries(pool: string, entries: JsonObject): OldLease[] {
  return Object.entries(entries).map(([key, value]) => {
    const path = `pools.${pool}.entries.${key}`;
    const entry = objectAt(value, path);
    const address = entry["ip_address"];
    const ip = typeof address === "string" ? parseIp(address) : undefined;
    if (!ip) throw new Misfit(`${path}.ip_address`, `expected an IP address, found ${kindOf(address)}`);
    const { container_id: containerID, interface_name: ifname } = entry;
    const names = { containerID: String(containerID ?? ""), ifname: String(ifname ?? "") };
    const doubt = keyDoubt(key, names);
    return { pool, ...names, ip, pod: podIn(entry["metadata"]), ...(doubt !== undefined && { doubt }) };
  });
}

/** What no runtime asks for can't be taken over, and what is called by another name may be either's. */
function keyDoubt(
  key: string,
  { containerID, ifname }: Pick<OldLease, "containerID" | "ifname">,
): string | undefined {
  if (!/^[a-zA-Z0-9][\w.-]*$/.test(containerID) || !/^(?!\.{1,2}$)[^/:\s\0]{1,15}$/.test(ifname))
    return "its container or its interface has a name that no runtime gives";
  return key === `${containerID}_${ifname}` ? undefined : `it stands at the key of another one, ${key}`;
}

function podIn(metadata: unknown): OldLease["pod"] {
  if (!isObject(metadata)) return {};
  const { pod_namespace: namespace, pod_name: name, pod_uuid: uid } = metadata;
  const text = (key: string, value: unknown) =>
    typeof value === "string" && value !== "" ? { [key]: value } : {};
  return { ...text("namespace", namespace), ...text("name", name), ...text("uid", uid) };
}

function objectAt(value: unknown, path: string): JsonObject {
  if (isObject(value)) return value;
  throw new Misfit(path, `expected an object, found ${kindOf(value)}`);
}
