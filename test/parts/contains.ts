import { BlockList, isIPv6 } from "node:net";

/** Whether a network in CIDR form has an address, by Node's own arithmetic. */
export function contains(cidr: string, address: string): boolean {
  const [network = "", prefix] = cidr.split("/");
  const family = isIPv6(address) ? "ipv6" : "ipv4";
  if (isIPv6(network) !== isIPv6(address)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(prefix), family);
  return list.check(address, family);
}
