import type { RangeSet } from "../address/range.ts";
import { poolOfAnnotationKey } from "../api/pool-names.ts";
import { forecastFull } from "../survey/forecast.ts";
import type { NodeRanges } from "../survey/node-ranges.ts";
import { labelOfKey } from "../survey/pool-ranges.ts";
import type { Survey } from "../survey/survey.ts";
import { joinPods, type Usage } from "../survey/usage.ts";

/**
 * An item of a NodeRangesList: what a Node says under a key. `sets` is empty where it says nothing, or nothing that can be read
 * (`malformed`). Sizes beyond 2^53 are rounded. `fullAt` (ISO 8601) is there where it can be told (survey/forecast.ts).
 */
export type NodeRangesItem = {
  node: string;
  key: string;
  /** Why this annotation counts as one that holds ranges; absent for spec.podCIDRs. */
  reason?: string;
  /** `ippool/NAME` or `cidrpool/NAME` where the key is a pool's; then each set is a block of it. */
  pool?: string;
  networks: string[];
  sets: {
    ranges: RangeSet;
    size: number;
    used: number;
    fullAt?: string;
    block?: string;
    closing?: true;
  }[];
  malformed?: string;
};

/** In the order of nodes, then of keys; a node that lacks a wanted key, or any ranges, is there with an empty item. */
export function listItems(survey: Survey, wanted: readonly string[]): NodeRangesItem[] {
  const usage = Map.groupBy(joinPods(survey).sets, ({ node, key }) => `${node} ${key}`);
  const said = Map.groupBy(survey.ranges, ({ node }) => node);
  return survey.nodes.flatMap(({ name }) =>
    complete(name, said.get(name) ?? [], wanted).map((ranges) =>
      toItem(ranges, survey, usage.get(`${name} ${ranges.key}`) ?? []),
    ),
  );
}

function complete(node: string, ranges: NodeRanges[], wanted: readonly string[]): NodeRanges[] {
  const missing = wanted.filter((key) => !ranges.some((one) => one.key === key));
  const all = [...ranges, ...missing.map((key) => ({ node, key, ranges: [] }))];
  return all.length > 0 ? all : [{ node, key: "", ranges: [] }];
}

function toItem(
  { node, key, malformed }: NodeRanges,
  { networks, keys }: Survey,
  sets: Usage[],
): NodeRangesItem {
  const reason = keys.get(key);
  return {
    node,
    key,
    ...(reason !== undefined && { reason }),
    ...(poolOfAnnotationKey(key) && { pool: labelOfKey(key) }),
    networks: networks.filter((network) => network.key === key).map(({ name }) => name),
    sets: sets.map(toSet),
    ...(malformed !== undefined && { malformed }),
  };
}

function toSet(usage: Usage): NodeRangesItem["sets"][number] {
  const { ranges, size, pods, block } = usage;
  const full = forecastFull(usage, Date.now());
  const fullAt = full === undefined ? {} : { fullAt: new Date(full).toISOString() };
  const ofPool = block && { block: block.name, ...(block.closing && { closing: true as const }) };
  return { ranges, size: Number(size), used: pods.length, ...fullAt, ...ofPool };
}
