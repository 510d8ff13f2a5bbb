import { contains, firstOf, lastOf, parseCidr } from "../address/cidr.ts";
import { formatIp, type Ip } from "../address/ip.ts";
import { formatRange, gatewayOf, isInside, type Range, spanOf } from "../address/range.ts";
import type { Inventory } from "../lease/inventory.ts";
import { explainHolding } from "./explain-holding.ts";
import { type FoundHolding, findHoldersOf, isSame } from "./find-holdings.ts";
import type { KnownNetwork } from "./inventories.ts";

/** An address that host-local keeps for nobody: it was killed over its lease. */
export type FoundEmpty = { ip: Ip; path: string; inventory: Inventory };

/** What an address is in a range that is known. */
export type Place = { network: string; range: Range; is: string };

/** What was found of an address or of somebody. Of what is held `places` say nothing. */
export type Explained = { holdings: FoundHolding[]; empty: FoundEmpty[]; places: Place[]; words: string };

/** Who holds an address, in each network; where nobody does, what it is in the ranges that are known. */
export function explainAddress(ip: Ip, inventories: KnownNetwork[]): Explained {
  const holdings = findHoldersOf(ip, inventories);
  const empty = inventories.flatMap((inventory) =>
    inventory.emptyLeases.filter((lease) => isSame(lease.ip, ip)).map((lease) => ({ ...lease, inventory })),
  );
  const paragraphs = [
    ...holdings.map(({ holding, inventory }) => explainHolding(holding, inventory)),
    ...empty.map(explainEmpty),
  ];
  if (paragraphs.length > 0) return { holdings, empty, places: [], words: paragraphs.join("\n\n") };
  const places = inventories.flatMap((inventory) => placesOf(ip, inventory));
  const known = places.map(
    ({ network, range, is }) => `in ${formatRange(range)} of network ${network} it is ${is}`,
  );
  const where = known.length > 0 ? known : ["it is in no range that is known on this machine"];
  const words = [`nobody holds ${formatIp(ip)}`, ...where.map((words) => `  ${words}`)].join("\n");
  return { holdings, empty, places, words };
}

function explainEmpty({ ip, path, inventory: { network } }: FoundEmpty): string {
  const why = "host-local was killed before it wrote whose it is; kube-node audit --fix frees it";
  return `${formatIp(ip)} is taken in network ${network}, for nobody: ${path} is empty\n  ${why}`;
}

function placesOf(ip: Ip, { network, ranges: known }: KnownNetwork): Place[] {
  const ranges = known.filter(({ subnet }) => {
    const cidr = parseCidr(subnet);
    return cidr !== undefined && contains(cidr, ip);
  });
  return ranges.map((range) => ({ network, range, is: describePlace(ip, range) }));
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
