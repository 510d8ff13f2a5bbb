import { familyOf, formatRange } from "../address/range.ts";
import type { CniError } from "../cni/error.ts";
import type { Step } from "../ranges/wanted.ts";
import type { ReadRequest } from "../request/request.ts";
import { formatAge } from "../terminal/age.ts";
import { formatCount } from "../terminal/count.ts";
import { type NetworkRange, usesOf } from "../upkeep/range-uses.ts";
import { type Finding, fail, failBy, good, warn } from "./finding.ts";
import { type Search, searchRanges } from "./search.ts";

/** Parts in a hundred of a range set that may be used without a word. */
const nearlyFull = 90;

/** The ranges that an ADD would use now, and whether there is room in them. */
export async function examineRanges(request: ReadRequest): Promise<Finding[]> {
  const search = await searchRanges(request);
  if (search.error) return [examineFailure(search.error, search.steps)];
  const uses = search.found ? usesOf(request, search.found.ipam) : [];
  const says = uses.map(({ range }) => formatRange(range)).join(", ") || "not in host-local's form";
  return [
    examineSource(search, `${says} (${request.source.label})`),
    ...examineRoom(uses),
    ...examineGating(request, uses),
  ];
}

/** What the API server didn't say has its finding already. */
function examineFailure(error: CniError, steps: Step[]): Finding {
  const isOutage = steps.some(({ origin, taken }) => origin === "asked" && !taken);
  if (!isOutage) return failBy("ranges", error);
  return fail(
    "ranges",
    error.message,
    "the API server has to be reached once, see above; kube-node ranges shows each source",
  );
}

function examineSource({ found, steps }: Search, says: string): Finding {
  const age = steps.find(({ taken }) => taken)?.age ?? 0;
  if (found?.origin === "last-known")
    return warn(
      "ranges",
      `${says}, as known ${formatAge(age * 1000)} ago: the API server is not available`,
      "pods start on them; kube-node ranges shows each source",
    );
  if (found?.origin === "legacy")
    return warn(
      "ranges",
      `${says}, by the original's kube-node.json: the API server is not available`,
      "kube-node ranges shows each source",
    );
  return good("ranges", says);
}

/** host-local takes an address out of each set: the fullest one decides. */
function examineRoom(uses: NetworkRange[]): Finding[] {
  const sets = Map.groupBy(uses, ({ set }) => set);
  return [...sets.values()].map((set) => {
    const [size, used] = [sum(set.map(({ size }) => size)), sum(set.map(({ used }) => used))];
    const says = `${formatCount(used)} of ${formatCount(size)} addresses of ${set.map(({ range }) => formatRange(range)).join(", ")} are used`;
    const remedy = "kube-node audit finds leaked ones; else give the Node a larger range";
    if (used >= size) return fail("room", says, remedy);
    return used * 100n >= size * BigInt(nearlyFull) ? warn("room", says, remedy) : good("room", says);
  });
}

function sum(numbers: bigint[]): bigint {
  return numbers.reduce((total, number) => total + number, 0n);
}

function examineGating({ ipv4Namespaces }: ReadRequest, uses: NetworkRange[]): Finding[] {
  if (ipv4Namespaces === undefined || uses.length === 0) return [];
  if (uses.some(({ range }) => familyOf(range) === 6))
    return [good("namespaces with IPv4", ipv4Namespaces.join(", ") || "none")];
  const whose = ipv4Namespaces.length === 0 ? "no pod" : `only pods of ${ipv4Namespaces.join(", ")}`;
  return [
    warn(
      "namespaces with IPv4",
      `${whose} can start: there is no IPv6 range for the others`,
      "give the Node an IPv6 range, or take out ipam.ipv4-namespaces",
    ),
  ];
}
