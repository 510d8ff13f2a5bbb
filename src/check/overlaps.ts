import { formatIp } from "../address/ip.ts";
import type { Span } from "../address/range.ts";
import type { Report } from "./report.ts";

/** Addresses that somebody has, and where that stands. Only what has the same `space` must not overlap. */
export type Claimed = {
  /** What the addresses are for: an annotation's key, pools. */
  space: string;
  owner: string;
  span: Span;
  at: number;
  report: Report;
  severity: "error" | "warning";
};

/** Reports each of the claims that overlaps with another owner's before it. */
export function reportOverlaps(claims: Claimed[]): void {
  const order = new Map(claims.map((claim, index) => [claim, index]));
  const sorted = [...claims].sort(bySpace);
  let widest: Claimed | undefined;
  for (const claim of sorted) {
    const other = widest && isBeside(widest, claim) ? widest : undefined;
    if (other && other.owner !== claim.owner) reportPair(other, claim, order);
    if (!other || claim.span.last.value > other.span.last.value) widest = claim;
  }
}

function bySpace(a: Claimed, b: Claimed): number {
  if (a.space !== b.space) return a.space < b.space ? -1 : 1;
  const [one, two] = [a.span.first, b.span.first];
  return one.family - two.family || (one.value < two.value ? -1 : one.value > two.value ? 1 : 0);
}

/** `b` begins no later than where `a` ends; what is sorted begins no earlier. */
function isBeside(a: Claimed, b: Claimed): boolean {
  return (
    a.space === b.space &&
    a.span.first.family === b.span.first.family &&
    b.span.first.value <= a.span.last.value
  );
}

function reportPair(a: Claimed, b: Claimed, order: Map<Claimed, number>): void {
  const [first, second] = (order.get(a) ?? 0) < (order.get(b) ?? 0) ? [a, b] : [b, a];
  const words = `${describe(second.span)} overlaps with ${describe(first.span)} of ${first.owner} at ${first.report.place(first.at)}`;
  second.report[second.severity](second.at, `${second.space}: ${words}`);
}

function describe({ first, last }: Span): string {
  return `${formatIp(first)}-${formatIp(last)}`;
}
