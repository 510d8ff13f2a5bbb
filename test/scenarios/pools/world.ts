import { formatIp } from "../../../src/address/ip.ts";
import type { NodeBlock } from "../../../src/api/node-block.ts";
import type { PoolAnnotation } from "../../../src/api/pool-annotation.ts";
import { parseNodeBlockName, poolAnnotationKey, poolKey } from "../../../src/api/pool-names.ts";
import type { PoolStatus } from "../../../src/api/pool-status.ts";
import { type Block, draftBlock, readBlock } from "../../../src/pool/block.ts";
import { countAddresses } from "../../../src/pool/count-addresses.ts";
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
  #blocks = new Map<string, NodeBlock>();
  #frozen = new Map<string, PoolStatus["grid"]>();

  /** What a step expects, as it came out. */
  take(step: Step): Required<Omit<Step, "why" | "pools" | "deleting" | "nodes" | "blocks">> {
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
    const outcome = plan(states, [...this.#nodes.values()], this.#readBlocks());
    this.#execute(outcome);
    const pools = states.flatMap(({ pool }) => pool ?? []);
    return {
      ...describe(outcome),
      faults,
      has: this.#describeBlocks(),
      annotations: this.#annotations(pools),
      counts: countAll(pools, outcome),
    };
  }

  #change({ pools = {}, deleting = [], nodes = {}, blocks = {} }: Step): void {
    change(this.#specs, pools, (_, spec) => spec);
    for (const key of deleting) this.#deleting.add(key);
    change(this.#nodes, nodes, (name, { uid = name, labels = {} }) => ({ name, uid, labels }));
    change(this.#blocks, blocks, writeBlock);
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
