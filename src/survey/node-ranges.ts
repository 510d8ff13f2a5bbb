import type { RangeSet } from "../address/range.ts";
import { AnnotationError, parseAnnotation } from "../api/annotation.ts";
import { nestRanges, parseAnnotationBody, spellOutRanges } from "../api/annotation-body.ts";
import type { PoolAnnotation } from "../api/pool-annotation.ts";
import { poolOfAnnotationKey } from "../api/pool-names.ts";
import { rangeSetsFault } from "../api/range-rules.ts";
import { isObject } from "../text/json.ts";
import { readPoolRanges } from "./pool-ranges.ts";

/** The key of ranges that stand in no annotation. */
export const podCIDRsKey = "spec.podCIDRs";

/** An annotation's key as it is told here: one that is named like podCIDRs is another thing, and gets a name that no annotation can have. */
export function keyOfAnnotation(name: string): string {
  return name === podCIDRsKey ? `${podCIDRsKey} (annotation)` : name;
}

/**
 * What one Node says under one key: an annotation's, or `spec.podCIDRs`. Malformed, it has no ranges, and says why. Of a pool, `ranges` has
 * a set for each of the annotation's blocks.
 */
export type NodeRanges = {
  node: string;
  key: string;
  ranges: RangeSet[];
  pool?: PoolAnnotation;
  /** The annotation was written for another Node (by UID), and so counts for nothing; `malformed` says it. */
  isForeign?: true;
  malformed?: string;
};

/** The part of a Node that is kept: of its annotations those that may hold ranges. */
export type NodeFacts = {
  name: string;
  uid: string;
  resourceVersion: string;
  podCIDRs: string[];
  annotations: Record<string, string>;
};

/** The ranges of an annotation's value in either plugin's grammar. Throws an AnnotationError, of kube-node's unless told otherwise. */
export function parseRanges(text: string, plugin?: "kube-node" | "node-annotation"): RangeSet[] {
  if (plugin === "node-annotation") return parseBody(text);
  try {
    return parseAnnotation(text).ranges;
  } catch (error) {
    if (plugin === "kube-node") throw error;
    try {
      return parseBody(text);
    } catch {
      throw error;
    }
  }
}

function parseBody(text: string): RangeSet[] {
  const { ranges } = spellOutRanges(nestRanges(parseAnnotationBody(text)));
  const fault = rangeSetsFault(ranges, "ranges");
  if (!fault) return ranges as RangeSet[];
  throw new AnnotationError(1, fault.path === "" ? fault.words : `${fault.path}: ${fault.words}`);
}

/** One annotation of a Node. */
export function readAnnotation(
  node: string,
  key: string,
  text: string,
  { plugin, uid }: { plugin?: "kube-node" | "node-annotation" | undefined; uid?: string } = {},
): NodeRanges {
  try {
    if (poolOfAnnotationKey(key)) return readPool(node, key, text, uid);
    return { node, key, ranges: parseRanges(text, plugin) };
  } catch (error) {
    return { node, key, ranges: [], malformed: (error as Error).message };
  }
}

function readPool(node: string, key: string, text: string, uid: string | undefined): NodeRanges {
  const { pool, ranges } = readPoolRanges(text);
  if (uid === undefined || pool.nodeUID === uid) return { node, key, ranges, pool };
  const malformed = `it is for the Node with UID ${pool.nodeUID}, and this one has ${uid}: it counts for nothing`;
  return { node, key, ranges: [], pool, isForeign: true, malformed };
}

/** A Node's podCIDRs, each a range set of its own, as the plugin reads them; undefined where it has none. */
export function readPodCIDRs({ name, podCIDRs }: NodeFacts): NodeRanges | undefined {
  if (podCIDRs.length === 0) return undefined;
  const ranges = podCIDRs.map((subnet) => [{ subnet }]);
  const fault = rangeSetsFault(ranges, "");
  return { node: name, key: podCIDRsKey, ...(fault ? { ranges: [], malformed: fault.words } : { ranges }) };
}

/** The part of a Node, as the API has it, that is kept; undefined where it is none. */
export function readNodeFacts(
  item: unknown,
  isKept: (key: string, value: string) => boolean,
): NodeFacts | undefined {
  if (!isObject(item) || !isObject(item["metadata"])) return undefined;
  const { name, uid, resourceVersion, annotations } = item["metadata"];
  const spec = isObject(item["spec"]) ? item["spec"] : {};
  const { podCIDR, podCIDRs } = spec;
  const texts = Object.entries(isObject(annotations) ? annotations : {}) as [string, string][];
  const entries = texts.map(([name, text]) => [keyOfAnnotation(name), text] as const);
  return {
    name: String(name),
    uid: String(uid),
    resourceVersion: String(resourceVersion),
    podCIDRs: Array.isArray(podCIDRs) ? podCIDRs.map(String) : podCIDR ? [String(podCIDR)] : [],
    annotations: Object.fromEntries(entries.filter(([key, value]) => isKept(key, value))),
  };
}
