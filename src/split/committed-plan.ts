import { type Cidr, formatCidr, parseCidr } from "../address/cidr.ts";
import { quote } from "../text/quote.ts";
import { parseTerms, type Terms, writeTerms } from "./terms.ts";

/** A Node, by its UID, and the blocks that are its own, one a family at most. `goneSince`: when it was first found deleted. */
export type Holder = {
  readonly node: string;
  readonly uid: string;
  readonly blocks: Cidr[];
  readonly goneSince?: Date;
};

/** What decides: a block belongs to whom this says, whoever writes annotations. */
export type CommittedPlan = { readonly key: string; readonly terms: Terms; readonly holders: Holder[] };

/** The `data` of a ConfigMap. */
export type PlanData = Readonly<Record<string, string>>;

const format = "1";

/** The API server takes no ConfigMap with more than this in it; bytes. */
export const largestPlan = 1 << 20;

/** One line a holder, in the order of names: a diff of two plans says what changed. */
export function formatCommittedPlan({ key, terms, holders }: CommittedPlan): PlanData {
  const { cidr, perNode, exclude, reserveFirst } = writeTerms(terms);
  const lines = [...holders].sort(byNodeAndUid).map((holder) => `${formatHolder(holder)}\n`);
  return {
    format,
    key,
    cidr,
    "per-node": perNode,
    exclude,
    "reserve-first": reserveFirst,
    blocks: lines.join(""),
  };
}

/** Throws an Error that says what in the data is not as it was written: a plan that can't be read decides nothing. */
export function parseCommittedPlan(data: PlanData): CommittedPlan {
  if (data["format"] !== format)
    throw new Error(
      `format: expected ${format}, found ${quote(data["format"] ?? "")}: a newer version wrote it`,
    );
  const terms = parseTerms({
    ...(data["cidr"] !== undefined && { cidr: data["cidr"] }),
    ...(data["per-node"] !== undefined && { perNode: data["per-node"] }),
    ...(data["exclude"] !== undefined && { exclude: data["exclude"] }),
    ...(data["reserve-first"] !== undefined && { reserveFirst: data["reserve-first"] }),
  });
  const lines = (data["blocks"] ?? "").split("\n").filter((line) => line.trim() !== "");
  return { key: data["key"] ?? "", terms, holders: lines.map(parseHolder) };
}

/** Bytes that the API server counts. */
export function sizeOfPlan(data: PlanData): number {
  const encoder = new TextEncoder();
  return Object.entries(data).reduce((sum, pair) => sum + encoder.encode(pair.join("")).length, 0);
}

function formatHolder({ node, uid, blocks, goneSince }: Holder): string {
  const gone = goneSince ? [`gone=${goneSince.toISOString()}`] : [];
  return [node, uid, blocks.map(formatCidr).join(","), ...gone].join(" ");
}

function parseHolder(line: string, index: number): Holder {
  const [node, uid, blockTexts = "", gone, ...more] = line.trim().split(/\s+/);
  const blocks = blockTexts.split(",").map(parseCidr);
  const goneSince = gone === undefined ? undefined : new Date(gone.replace(/^gone=/, ""));
  const isDate = goneSince === undefined || !Number.isNaN(goneSince.getTime());
  if (!node || !uid || blocks.includes(undefined) || !isDate || more.length > 0)
    throw new Error(
      `blocks, line ${index + 1}: expected NODE UID BLOCK[,BLOCK] [gone=TIME], found ${quote(line)}`,
    );
  return { node, uid, blocks: blocks as Cidr[], ...(goneSince && { goneSince }) };
}

function byNodeAndUid(a: Holder, b: Holder): number {
  return compare(a.node, b.node) || compare(a.uid, b.uid);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
