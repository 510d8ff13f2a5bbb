import { formatIp } from "../address/ip.ts";
import type { Holding } from "../lease/inventory.ts";

/** Another delegate than host-local keeps addresses where we don't see them: undefined stands for those. */
export function addressesOf({ leases }: Holding): (string | undefined)[] {
  return leases.length === 0 ? [undefined] : leases.map(({ ip }) => formatIp(ip));
}

/** Each address of an attachment, in the documented shape of `-o json`. */
export function leaseJson(holding: Holding) {
  const { containerID, ifname, since, verdict, record: found } = holding;
  const record = found?.record;
  return addressesOf(holding).map((address) => ({
    address: address ?? null,
    pod: record?.pod ?? null,
    containerID,
    interface: ifname || null,
    since: since ?? null,
    state: verdict.state,
    reason: verdict.reason,
    netns: record?.netns ?? null,
    delegate: record?.delegate ?? null,
  }));
}

/** The same of a lease that is nobody's. */
export function emptyJson(address: string) {
  const nobody = { pod: null, containerID: null, interface: null, since: null, netns: null, delegate: null };
  return { address, ...nobody, state: "unknown", reason: "its lease is empty" };
}
