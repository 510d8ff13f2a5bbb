import { statSync } from "node:fs";
import { formatIp, type Ip, parseIp } from "../address/ip.ts";
import { appendOwn, isErrno, listFolder, readText } from "../host/files.ts";

/** Where host-local keeps its stores when no dataDir is given. */
export const defaultDataDir = "/var/lib/cni/networks";

/** One lease of host-local's: a file named by the address (backend/disk in containernetworking/plugins). */
export type Lease = {
  ip: Ip;
  /** Empty where host-local was killed between making the file and writing it. */
  containerID: string;
  /** Absent in the form of old releases, which held the container id alone. */
  ifname?: string;
  path: string;
};

export function storeFolder(dataDir: string | undefined, network: string): string {
  return `${dataDir ?? defaultDataDir}/${network}`;
}

/** All leases of a store, in no order; none where there is no store. Other files (lock, last_reserved_ip.N) are passed over. */
export function readLeases(folder: string): Lease[] {
  return listFolder(folder).flatMap((name) => {
    const ip = parseIp(name);
    const content = ip && formatIp(ip) === name ? readLease(`${folder}/${name}`) : undefined;
    return ip && content !== undefined ? [{ ip, ...parseLease(content), path: `${folder}/${name}` }] : [];
  });
}

/** Undefined where something else than a lease is called like an address. */
function readLease(path: string): string | undefined {
  try {
    return readText(path);
  } catch (error) {
    if (error instanceof RangeError || isErrno(error, "EISDIR", "EINVAL", "ENXIO")) return undefined;
    throw error;
  }
}

/** `containerID\r\nifname`, or the container id alone. */
export function parseLease(content: string): { containerID: string; ifname?: string } {
  const [containerID = "", ifname] = content.trim().split("\r\n");
  return { containerID, ...(ifname !== undefined && { ifname }) };
}

/** A lease of the old form holds the container's address on whichever interface. */
export function isLeaseOf(lease: Lease, containerID: string, ifname: string): boolean {
  return lease.containerID === containerID && (lease.ifname === undefined || lease.ifname === ifname);
}

/** Who empty leases are given to, to be freed. */
export const reclaimedContainer = { containerID: "kube-node-reclaims", ifname: "lost" };

/**
 * Empty leases, of a host-local that was killed between making the file and writing it, older than `age` seconds: each
 * is given to a container of ours, so that host-local's own DEL frees it, under its lock. host-local never writes into one.
 * Returns how many there were.
 */
export function reclaimEmptyLeases(folder: string, age: number): number {
  const newest = Date.now() - age * 1000;
  const empty = readLeases(folder).filter(
    ({ containerID, path }) => containerID === "" && isOlder(path, newest),
  );
  for (const { path } of empty) appendOwn(path, Object.values(reclaimedContainer).join("\r\n"));
  return empty.length;
}

/** Whether a file was last written before that time, in milliseconds; one that is gone was not. */
export function isOlder(path: string, newest: number): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? newest) < newest;
}
