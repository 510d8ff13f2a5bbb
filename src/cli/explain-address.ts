import { contains, firstOf, lastOf, parseCidr } from "../address/cidr.ts";
import { formatIp, type Ip } from "../address/ip.ts";
import { formatRange, gatewayOf, isInside, type Range, spanOf } from "../address/range.ts";
import type { Inventory } from "../lease/inventory.ts";
import { explainHolding } from "./explain-holding.ts";
import type { KnownNetwork } from "./inventories.ts";

/** Who holds an address, in each network; where nobody does, what it is in the ranges that are known. */
export function explainAddress(ip: Ip, inventories: KnownNetwork[]): { held: boolean; words: string } {
  const paragraphs = inventories.flatMap((inventory) => holders(ip, inventory));
  if (paragraphs.length > 0) return { held: true, words: paragraphs.join("\n\n") };
  const known = inventories.flatMap((inventory) => placesOf(ip, inventory));
  const where = known.length > 0 ? known : ["it is in no range that is known on this machine"];
  return {
    held: false,
    words: [`nobody holds ${formatIp(ip)}`, ...where.map((words) => `  ${words}`)].join("\n"),
  };
}

function holders(ip: Ip, inventory: Inventory): string[] {
  const isIt = (lease: { ip: Ip }) => lease.ip.family === ip.family && lease.ip.value === ip.value;
  const held = inventory.holdings.filter(({ leases }) => leases.some(isIt));
  const empty = inventory.emptyLeases.filter(isIt).map(({ path }) => {
    const why = "host-local was killed before it wrote whose it is; kube-node audit --fix frees it";
    return `${formatIp(ip)} is taken in network ${inventory.network}, for nobody: ${path} is empty\n  ${why}`;
  });
  return [...held.map((holding) => explainHolding(holding, inventory)), ...empty];
}

function placesOf(ip: Ip, { network, ranges: known }: KnownNetwork): string[] {
  const ranges = known.filter(({ subnet }) => {
    const cidr = parseCidr(subnet);
    return cidr !== undefined && contains(cidr, ip);
  });
  return ranges.map(
    (range) => `in ${formatRange(range)} of network ${network} it is ${describePlace(ip, range)}`,
  );
}

/** What an address is in a range whose subnet it lies in. */
function describePlace(ip: Ip, range: Range): string {
  const isOnly = (other: Ip | undefined) => other?.value === ip.value;
  if (isOnly(gatewayOf(range))) return "the gateway: host-local never gives it";
  if (isInside(spanOf(range), ip)) return "free: host-local may give it";
  const cidr = parseCidr(range.subnet);
  if (cidr && isOnly(firstOf(cidr))) return "the network's own address: host-local never gives it";
  if (cidr && ip.family === 4 && isOnly(lastOf(cidr)))
    return "the broadcast address: host-local never gives it";
  return `inside the subnet ${range.subnet}, outside of what host-local gives`;
}
