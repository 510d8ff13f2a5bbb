import { contains, formatCidr, network, parseCidr } from "../address/cidr.ts";
import { bitsOf } from "../address/ip.ts";
import type { Span } from "../address/range.ts";
import { subnetFault } from "../api/range-rules.ts";
import { quote } from "../text/quote.ts";
import type { Grid } from "./grid.ts";
import { formatSpan, parseSpan } from "./span.ts";

/** What is handed out: one grid a family, without the excluded spans; `reserveFirst` addresses of each block are kept back. */
export type Terms = { readonly grids: Grid[]; readonly exclude: Span[]; readonly reserveFirst: number };

/** Terms as people write them, and as the committed plan keeps them. What is absent is as it was committed. */
export type WrittenTerms = { cidr?: string; perNode?: string; exclude?: string; reserveFirst?: string };

/** `172.20.0.0/16,fd00:2::/48` with `/24,/64`: the first prefix length is the first network's. */
function parseGrids(cidr: string, perNode: string): Grid[] {
  const [networks, lengths] = [splitList(cidr), splitList(perNode)];
  if (networks.length > 2)
    throw new Error(`--cidr: expected one network a family, found ${networks.length} networks`);
  if (networks.length !== lengths.length)
    throw new Error(
      `--per-node: expected one prefix length for each network of --cidr (${networks.length}), found ${lengths.length}`,
    );
  const grids = networks.map((text, index) => parseGrid(text, lengths[index] as string));
  if (grids[0]?.network.ip.family === grids[1]?.network.ip.family && grids.length > 1)
    throw new Error(`--cidr: ${cidr} are two networks of one family: expected one of IPv4 and one of IPv6`);
  return grids;
}

/** CIDRs and FIRST-LAST, comma-separated; "" for none. */
export function parseExclude(text: string): Span[] {
  try {
    return splitList(text).map(parseSpan);
  } catch (error) {
    throw new Error(`--exclude: ${(error as Error).message}`);
  }
}

export function writeTerms({ grids, exclude, reserveFirst }: Terms): Required<WrittenTerms> {
  return {
    cidr: grids.map(({ network }) => formatCidrOf(network)).join(","),
    perNode: grids.map(({ perNode }) => `/${perNode}`).join(","),
    exclude: exclude.map(formatSpan).join(","),
    reserveFirst: String(reserveFirst),
  };
}

/** Terms that stand alone: `--cidr` and `--per-node` have to be there. */
export function parseTerms({ cidr, perNode, exclude, reserveFirst }: WrittenTerms): Terms {
  if (cidr === undefined || perNode === undefined)
    throw new Error(
      "there is no plan for this annotation yet: --cidr and --per-node are needed, as in --cidr=172.20.0.0/16 --per-node=/24",
    );
  const grids = parseGrids(cidr, perNode);
  return {
    grids,
    exclude: parseExclude(exclude ?? ""),
    reserveFirst: parseReserve(reserveFirst ?? "0", grids),
  };
}

/** What holds now: what is given, and else what was committed; refused where blocks that were given out would not fit in. */
export function settleTerms(given: WrittenTerms, committed: Terms | undefined): Terms {
  if (!committed) return parseTerms(given);
  const terms = parseTerms({ ...writeTerms(committed), ...given });
  for (const before of committed.grids) refuseOtherGrid(before, terms.grids, writeTerms(committed));
  return terms;
}

/** A wider network, or a family more, moves no block; anything else would. */
function refuseOtherGrid(before: Grid, now: Grid[], was: Required<WrittenTerms>): void {
  const { family } = before.network.ip;
  const grid = now.find(({ network }) => network.ip.family === family);
  const isWithin =
    grid && contains(grid.network, before.network.ip) && grid.network.prefix <= before.network.prefix;
  if (isWithin && grid.perNode === before.perNode) return;
  throw new Error(
    `the plan for this annotation was made with --cidr=${was.cidr} --per-node=${was.perNode}: give the same, a wider --cidr, or neither; for another split use another annotation, or take off the annotations and delete the plan first`,
  );
}

function parseGrid(cidr: string, length: string): Grid {
  const parsed = parseCidr(cidr);
  const fault = subnetFault(cidr);
  if (!parsed || fault) throw new Error(`--cidr: ${fault}`);
  const perNode = /^\/?\d{1,3}$/.test(length) ? Number(length.replace("/", "")) : Number.NaN;
  const longest = bitsOf(parsed.ip.family) - 2;
  if (!(perNode >= parsed.prefix && perNode <= longest))
    throw new Error(
      `--per-node: ${quote(length)}: expected a prefix length from /${parsed.prefix} to /${longest}, to cut ${cidr}`,
    );
  return { network: parsed, perNode };
}

function parseReserve(text: string, grids: Grid[]): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  const usable = Math.min(...grids.map(usableInBlock));
  if (count < usable) return count;
  throw new Error(
    `--reserve-first: ${quote(text)}: expected a number from 0 to ${usable - 1}, so that each block has addresses left`,
  );
}

/** Without the network address, and IPv4's broadcast address. Exact as far as anybody reserves. */
function usableInBlock({ network, perNode }: Grid): number {
  const size = 2 ** (bitsOf(network.ip.family) - perNode);
  return size - (network.ip.family === 4 ? 2 : 1);
}

function formatCidrOf(cidr: Grid["network"]): string {
  return formatCidr(network(cidr));
}

function splitList(text: string): string[] {
  return text.trim() === "" ? [] : text.split(",").map((part) => part.trim());
}
