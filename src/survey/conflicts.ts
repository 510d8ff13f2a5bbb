import { firstOf, lastOf, parseCidr } from "../address/cidr.ts";
import { overlaps, type Span } from "../address/range.ts";
import { podCIDRsKey } from "./node-ranges.ts";
import { labelOfKey } from "./pool-ranges.ts";
import { formatRangeSet, type NodeRangeSet } from "./range-set.ts";

/** A range set that could give an address that isn't its alone: another node could, too, or a Service could have it. */
export type Conflict = { set: NodeRangeSet; with: { set: NodeRangeSet } | { serviceCIDR: string } };

type Entry = { span: Span; index: number };

/**
 * Conflicts of the sets from index `from` on with those before them: two nodes under one key, an annotation and another node's
 * podCIDRs, anything and the Services' addresses. At most two of each set, however many there are.
 */
export function findConflicts(
  sets: readonly NodeRangeSet[],
  serviceCIDRs: readonly string[],
  from = 0,
): Conflict[] {
  const find = indexSpans(sets.flatMap(({ spans }, index) => spans.map((span) => ({ span, index }))));
  const services = serviceCIDRs.flatMap(spanOfCidr);
  return sets.slice(from).flatMap((set, offset) => {
    const index = offset + from;
    const isOther = (at: number) => at < index && exclude(set, sets[at] as NodeRangeSet);
    const other = set.spans.map((span) => find(span, isOther)).find((at) => at !== undefined);
    const service = services.find(({ span }) => set.spans.some((own) => overlaps(own, span)));
    return [
      ...(other === undefined ? [] : [{ set, with: { set: sets[other] as NodeRangeSet } }]),
      ...(service ? [{ set, with: { serviceCIDR: service.cidr } }] : []),
    ];
  });
}

/** Whether two sets must not share an address. Networks of different annotations may use the same addresses. */
function exclude(one: NodeRangeSet, other: NodeRangeSet): boolean {
  const related = one.key === other.key || one.key === podCIDRsKey || other.key === podCIDRsKey;
  return related && one.node !== other.node;
}

/** Finds one that overlaps in an ordered list: of those that begin early enough, back until none reaches so far. */
function indexSpans(entries: Entry[]) {
  const sorted = entries.sort((a, b) => compare(a.span, b.span));
  let reach: bigint | undefined;
  const reaches = sorted.map(({ span: { first, last } }, at) => {
    const isNew = sorted[at - 1]?.span.first.family !== first.family;
    reach = isNew || reach === undefined || last.value > reach ? last.value : reach;
    return reach;
  });
  return (span: Span, isWanted: (index: number) => boolean): number | undefined => {
    for (let at = lastBeginning(sorted, span); at >= 0; at--) {
      const { span: other, index } = sorted[at] as Entry;
      if (other.first.family !== span.first.family || (reaches[at] as bigint) < span.first.value)
        return undefined;
      if (overlaps(other, span) && isWanted(index)) return index;
    }
    return undefined;
  };
}

function compare(a: Span, b: Span): number {
  return (
    a.first.family - b.first.family ||
    Number(a.first.value > b.first.value) - Number(a.first.value < b.first.value)
  );
}

/** The last that begins no later than the span ends, by halving. */
function lastBeginning(sorted: Entry[], span: Span): number {
  const end: Span = { first: span.last, last: span.last };
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare((sorted[middle] as Entry).span, end) <= 0) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function spanOfCidr(text: string): { cidr: string; span: Span }[] {
  const cidr = parseCidr(text);
  return cidr ? [{ cidr: text, span: { first: firstOf(cidr), last: lastOf(cidr) } }] : [];
}

/** A sentence without its end. */
export function describeConflict({ set, with: other }: Conflict): string {
  const own = nameSet(set);
  if ("serviceCIDR" in other)
    return `${own} overlaps with ${other.serviceCIDR}, which Services get their addresses of`;
  return `${own} overlaps with ${nameSet(other.set)}`;
}

function nameSet({ ranges, key, node }: NodeRangeSet): string {
  return `${formatRangeSet(ranges)} (${labelOfKey(key)} of ${node})`;
}
