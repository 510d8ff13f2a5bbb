import { formatIp, parseIp } from "../address/ip.ts";
import { countIn, gaps, isIn, mergeRuns, type Run } from "../address/runs.ts";
import { excludedForPodsKey, type NvPool } from "../api/nv-ipam.ts";
import type { Block } from "../pool/block.ts";
import type { Pool } from "../pool/pool.ts";
import { isObject } from "../text/json.ts";
import type { PodPlace } from "./count-pods.ts";

export type Exclusion = { startIP: string; endIP: string };

/** `all` is what the spec is to exclude, `forPods` the part of it that goes again with the pods; `full` are blocks that have no address left. */
export type PodExclusions = { all: unknown[]; forPods: Exclusion[]; full: string[] };

/** Exclusions of a way back that was gone before. */
export function exclusionsForPods({ annotations }: Pick<NvPool, "annotations">): Exclusion[] {
  try {
    const list: unknown = JSON.parse(annotations[excludedForPodsKey] ?? "[]");
    return Array.isArray(list) ? (list.filter(isObject) as Exclusion[]) : [];
  } catch {
    return [];
  }
}

/** What a person excludes: the spec's without those. */
export function ownExclusions(pool: Pick<NvPool, "annotations" | "spec">): unknown[] {
  const { exclusions } = pool.spec;
  const forPods = new Set(exclusionsForPods(pool).map(keyOf));
  return Array.isArray(exclusions) ? exclusions.filter((one) => !forPods.has(keyOf(one))) : [];
}

/**
 * Addresses that living pods have are to be given to nobody else, and nv-ipam's store knows only those that it gave itself. Never two exclusions of
 * one address: its daemon fails on them. Once there are no NodeBlocks any more, others' pods are nv-ipam's own: what is excluded only gets less.
 */
export function excludePods(
  nv: NvPool,
  pool: Pool,
  blocks: readonly Block[],
  pods: readonly PodPlace[],
): PodExclusions {
  const { family } = pool.grid;
  const own = ownExclusions(nv);
  const excluded = mergeRuns(own.flatMap(runOf));
  const spans = blocks.flatMap(({ name, span }) =>
    span ? [{ name, first: span.first.value, last: span.last.value }] : [],
  );
  const inBlocks = mergeRuns(spans.length > 0 ? spans : exclusionsForPods(nv).flatMap(runOf));
  const held = pods.flatMap(({ address }): Run[] => {
    const ip = parseIp(address);
    const isWanted = ip?.family === family && isIn(inBlocks, ip.value) && !isIn(excluded, ip.value);
    return isWanted ? [{ first: ip.value, last: ip.value }] : [];
  });
  const runs = mergeRuns(held);
  const whole = mergeRuns([...excluded, ...runs]);
  const text = (value: bigint) => formatIp({ family, value });
  const forPods = runs.map(({ first, last }) => ({ startIP: text(first), endIP: text(last) }));
  return {
    all: [...own, ...forPods],
    forPods,
    full: spans.flatMap(({ name, ...span }) => (countIn(gaps(span, whole)) === 0n ? [name] : [])),
  };
}

function runOf(exclusion: unknown): Run[] {
  const { startIP, endIP } = (isObject(exclusion) ? exclusion : {}) as Partial<Exclusion>;
  const [first, last] = [startIP, endIP].map((one) => parseIp(String(one))?.value);
  return first !== undefined && last !== undefined && first <= last ? [{ first, last }] : [];
}

function keyOf(exclusion: unknown): string {
  const { startIP, endIP } = (isObject(exclusion) ? exclusion : {}) as Partial<Exclusion>;
  return `${startIP}-${endIP}`;
}
