import { formatIp, type Ip } from "../address/ip.ts";
import { countOf, type Span } from "../address/range.ts";
import { count } from "../map/numbers.ts";
import { higher, lower } from "../map/order.ts";
import { stripsOf } from "../map/strips.ts";
import type { Block, Holder } from "../map/territory.ts";
import { reasonToKeep } from "./reason-to-keep.ts";
import type { Item, Row } from "./rows.ts";

// Of a larger block, only what is near an address in use is drawn.
const drawnWhole = 1024n;

/** A block's addresses, each a tile; `perRow` is a power of two. `wanted` is drawn in any case; `excluded` is its section's. */
export function blockRows(block: Block, perRow: number, wanted?: Ip, excluded: readonly Span[] = []): Row[] {
  const holders = new Map<bigint, Holder[]>();
  for (const holder of block.held)
    holders.set(holder.address.value, [...(holders.get(holder.address.value) ?? []), holder]);
  return stripsOf(block.span, drawnOf(block, wanted), BigInt(perRow)).map(({ kind, span }): Row => {
    if (kind === "gap") {
      const words = `${count(countOf(span), "address", "addresses")} free`;
      return { kind, height: 26, label: "", words, items: [] };
    }
    const start = (span.first.value / BigInt(perRow)) * BigInt(perRow);
    const items = Array.from({ length: Number(countOf(span)) }, (_, at) => {
      const address = { ...span.first, value: span.first.value + BigInt(at) };
      const place = Number(address.value - start);
      return addressItem(
        block,
        address,
        excluded,
        holders.get(address.value) ?? [],
        place / perRow,
        (place + 1) / perRow,
      );
    });
    return { kind: "tiles", height: 48, label: formatIp(span.first), words: "", items };
  });
}

function drawnOf({ span, given, held }: Block, wanted: Ip | undefined) {
  if (countOf(span) <= drawnWhole) return [span];
  const values = [given.first, ...held.map(({ address }) => address), ...(wanted ? [wanted] : [])];
  return values
    .sort((a, b) => (a.value < b.value ? -1 : 1))
    .map((ip) => ({ first: ip, last: ip }))
    .filter(({ first }) => first.value === higher(lower(first.value, span.last.value), span.first.value));
}

function addressItem(
  block: Block,
  address: Ip,
  excluded: readonly Span[],
  holders: readonly Holder[],
  from: number,
  to: number,
): Item {
  const text = formatIp(address);
  const kept = holders.length === 0 ? reasonToKeep(block, address, excluded) : undefined;
  const pods = holders.map(({ pod }) => pod);
  const look = holders.length > 1 ? "contested" : holders.length === 1 ? "held" : kept ? "kept" : "unheld";
  return {
    key: text,
    from,
    to,
    look,
    name: /[.:]?:?[^.:]*$/.exec(text)?.[0] ?? text,
    note: pods.length > 0 ? pods.map((pod) => pod.slice(pod.indexOf("/") + 1)).join(", ") : (kept ?? ""),
    words: `${text}: ${pods.length > 0 ? pods.join(" and ") : (kept ?? "free")}`,
    span: { first: address, last: address },
    blocks: [block],
    holders,
  };
}
