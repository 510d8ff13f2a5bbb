import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";

/** Host-local's leases in a folder by their address: `{ "10.1.0.2": "c1 eth0" }`, sorted by address. */
export function listLeases(store: string): Record<string, string> {
  const addresses = (existsSync(store) ? readdirSync(store) : []).filter((name) => isIP(name) !== 0).sort();
  const leases = addresses.map((address) => [address, readHolder(join(store, address))] as const);
  return Object.fromEntries(
    leases.flatMap(([address, holder]) => (holder === undefined ? [] : [[address, holder]])),
  );
}

/** Undefined where the lease has been freed just now. */
function readHolder(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").split("\r\n").join(" ");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Names of the attachment records in our folder of a network. */
export function listRecords(state: string): string[] {
  const folder = join(state, "attachments");
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

/** Changes keys of a JSON file of ours. */
export function editJson(path: string, changes: object): void {
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...changes }));
}

/** Gives a file a time before this machine's boot. */
export function makeOlderThanBoot(path: string): void {
  const uptime = Number.parseFloat(readFileSync("/proc/uptime", "utf8"));
  const dayBeforeBoot = Date.now() / 1000 - uptime - 86_400;
  utimesSync(path, dayBeforeBoot, dayBeforeBoot);
}
