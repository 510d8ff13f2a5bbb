import { formatIp } from "../../../src/address/ip.ts";
import { parseAnnotation } from "../../../src/api/annotation.ts";
import type { NodeBlock } from "../../../src/api/node-block.ts";
import type { PoolAnnotation } from "../../../src/api/pool-annotation.ts";
import { parseNodeBlockName, poolAnnotationKey, poolKey } from "../../../src/api/pool-names.ts";
import type { PoolStatus } from "../../../src/api/pool-status.ts";
import { type Block, draftBlock, readBlock } from "../../../src/pool/block.ts";
import {
  type Claim,
  claimOfPool,
  claimsOfAnnotation,
  claimsOfBlocks,
  claimsOfPodCIDRs,
  claimsOfServices,
} from "../../../src/pool/claims.ts";
import { countAddresses } from "../../../src/pool/count-addresses.ts";
import { findOverlaps } from "../../../src/pool/overlaps.ts";
import { type Plan, type PoolState, plan } from "../../../src/pool/plan.ts";
import type { Pool, PoolNode } from "../../../src/pool/pool.ts";
import { projectBlocks } from "../../../src/pool/project-blocks.ts";
import { readPool } from "../../../src/pool/read-pool.ts";
import { formatSpan, parseSpan } from "../../../src/split/span.ts";
import type { JsonObject } from "../../../src/text/json.ts";
import { parseReference, type ScenarioBlock, type Step } from "./scenario.ts";

/** A cluster as far as plans see it: documents, and a controller that does at once what a plan says. */
export class PoolWorld {
  #specs = new Map<string, JsonObject>();
  #deleting = new Set<string>();
  #nodes = new Map<string, PoolNode>();
  /** What Nodes and Services give, by the Node; of Services by none. */
  #claims = new Map<string, Claim[]>();
  #blocks = new Map<string, NodeBlock>();
  #frozen = new Map<string, PoolStatus["grid"]>();

  /** What a step expects, as it came out. */
  take(step: Step): Required<Omit<Step, "why" | "pools" | "deleting" | "nodes" | "services" | "blocks">> {
    this.#change(step);
    const faults: Record<string, string[]> = {};
    const states = [...this.#specs].map(([key, spec]): PoolState => {
      const reference = parseReference(key);
      const frozen = this.#frozen.get(key);
      const read = readPool({ ...reference, uid: reference.name, spec, ...(frozen && { frozen }) });
      if ("faults" in read) faults[key] = read.faults.map(({ path, words }) => `${path.join(".")}: ${words}`);
      const pool = "pool" in read ? read.pool : undefined;
      return { ...reference, uid: reference.name, deleting: this.#deleting.has(key), pool };
    });
    const pools = states.flatMap(({ pool }) => pool ?? []);
    const overlaps = this.#overlaps(pools);
    const planned = plan(states, [...this.#nodes.values()], this.#readBlocks());
    const outcome = { ...planned, create: planned.create.filter(({ pool }) => !(poolKey(pool) in overlaps)) };
    this.#execute(outcome);
    return {
      ...describe(outcome),
      faults,
      overlaps: named(overlaps, pools),
      has: this.#describeBlocks(),
      annotations: this.#annotations(pools),
      counts: countAll(pools, outcome),
    };
  }

  #change({ pools = {}, deleting = [], nodes = {}, services, blocks = {} }: Step): void {
    change(this.#specs, pools, (_, spec) => spec);
    for (const key of deleting) this.#deleting.add(key);
    change(this.#nodes, nodes, (name, { uid = name, labels = {} }) => ({ name, uid, labels }));
    change(this.#claims, nodes, (name, { podCIDRs = [], annotations = {} }) => [
      ...claimsOfPodCIDRs(name, podCIDRs),
      ...Object.entries(annotations).flatMap(([key, text]) =>
        claimsOfAnnotation(name, key, parseAnnotation(text).ranges),
      ),
    ]);
    if (services) this.#claims.set("", claimsOfServices(services));
    change(this.#blocks, blocks, writeBlock);
  }

  /** By poolKey, the words of those that may not give. */
  #overlaps(pools: Pool[]): Record<string, string> {
    const keys = [...this.#specs.keys()];
    const blocks = this.#readBlocks().filter(
      ({ pool }) => !pools.some((one) => poolKey(one) === poolKey(pool)),
    );
    const found = findOverlaps(
      pools.map((pool) => claimOfPool(pool, keys.indexOf(`${pool.kind}/${pool.name}`))),
      [...claimsOfBlocks(blocks), ...[...this.#claims.values()].flat()],
    );
    return Object.fromEntries(
      [...found].map(([key, { owner, span, more }]) => [
        key,
        `${formatSpan(span)} of ${owner}${more > 0 ? ` and ${more} more` : ""}`,
      ]),
    );
  }

  #execute({ create, close }: Plan): void {
    for (const { pool, node, index } of create) {
      const { first, size } = pool.grid;
      this.#frozen.set(poolKey(pool), {
        first: formatIp({ family: pool.grid.family, value: first }),
        size: String(size),
      });
      const block = draftBlock(pool, node, index);
      if (this.#blocks.has(block.metadata.name)) throw new Error(`${block.metadata.name} is given twice`);
      this.#blocks.set(block.metadata.name, block);
    }
    for (const { block } of close) {
      const document = this.#blocks.get(block.name);
      if (document) document.spec.closing = true;
    }
  }

  #readBlocks(): Block[] {
    return [...this.#blocks.values()].flatMap((document) => readBlock(document) ?? []);
  }

  #describeBlocks(): NonNullable<Step["has"]> {
    const has: Record<string, Record<string, string | string[]>> = {};
    for (const { pool, nodeName, span } of this.#readBlocks().sort((a, b) => Number(a.index - b.index))) {
      has[poolKey(pool)] ??= {};
      const own = has[poolKey(pool)] ?? {};
      const text = span ? formatSpan(span) : "nonsense";
      const before = own[nodeName];
      own[nodeName] = before === undefined ? text : [before, text].flat();
    }
    return has;
  }

  #annotations(pools: Pool[]): NonNullable<Step["annotations"]> {
    const blocks = this.#readBlocks();
    const ofNode = ({ name, uid }: PoolNode) =>
      pools.flatMap((pool) => {
        const own = blocks.filter((one) => one.nodeName === name && poolKey(one.pool) === poolKey(pool));
        return own.length === 0
          ? []
          : [[poolAnnotationKey(pool), withoutUID(projectBlocks(pool, uid, own))] as const];
      });
    return Object.fromEntries(
      [...this.#nodes.values()].map((node) => [node.name, Object.fromEntries(ofNode(node))]),
    );
  }
}

/** By the names that scenarios have for pools. */
function named(overlaps: Record<string, string>, pools: Pool[]): Record<string, string> {
  return Object.fromEntries(
    pools.flatMap((pool) => {
      const words = overlaps[poolKey(pool)];
      return words === undefined ? [] : [[`${pool.kind}/${pool.name}`, words]];
    }),
  );
}

function withoutUID({
  version: _,
  nodeUID: __,
  ...rest
}: PoolAnnotation): Omit<PoolAnnotation, "version" | "nodeUID"> {
  return rest;
}

function change<From, To>(
  map: Map<string, To>,
  changes: Record<string, From | null>,
  read: (key: string, value: From) => To,
): void {
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) map.delete(key);
    else map.set(key, read(key, value));
  }
}

function writeBlock(
  name: string,
  { node, addresses, nodeUID = node, poolUID, closing }: ScenarioBlock,
): NodeBlock {
  const claim = parseNodeBlockName(name);
  if (!claim) throw new Error(`${name} is no NodeBlock's name`);
  const { first, last } = parseSpan(addresses);
  return {
    apiVersion: "ipam.kube-node.io/v1alpha1",
    kind: "NodeBlock",
    metadata: { name },
    spec: {
      pool: { kind: claim.kind, name: claim.name, uid: poolUID ?? claim.name },
      index: String(claim.index),
      first: formatIp(first),
      last: formatIp(last),
      nodeName: node,
      nodeUID,
      ...(closing && { closing }),
    },
  };
}

function describe({ unplaced, close, orphans, doubtful }: Plan) {
  const byPool: NonNullable<Step["unplaced"]> = {};
  for (const { pool, node, why } of unplaced)
    byPool[poolKey(pool)] = { ...byPool[poolKey(pool)], [node.name]: why };
  return {
    unplaced: byPool,
    closes: Object.fromEntries(close.map(({ block, why }) => [block.name, why])),
    orphans: orphans.map(({ name }) => name),
    doubts: Object.fromEntries(doubtful.map(({ block, why }) => [block.name, why])),
  };
}

function countAll(pools: Pool[], { planners }: Plan): NonNullable<Step["counts"]> {
  return Object.fromEntries(
    pools.flatMap((pool) => {
      const planner = planners.get(poolKey(pool));
      return planner
        ? [[poolKey(pool), [planner.total, planner.free, countAddresses(pool)].map(String)]]
        : [];
    }),
  ) as NonNullable<Step["counts"]>;
}
