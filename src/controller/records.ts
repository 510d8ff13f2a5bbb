import { heldBlocksKey } from "../api/held-blocks.ts";
import type { NodeBlock, NodeBlockStatus } from "../api/node-block.ts";
import { servedLabel, uidsOfPool } from "../api/nv-ipam.ts";
import type { PoolKind } from "../api/pool-kind.ts";
import { type PoolReference, poolOfAnnotationKey } from "../api/pool-names.ts";
import type { PoolStatus } from "../api/pool-status.ts";
import { rebuiltKey } from "../api/set-back.ts";
import { asOurs } from "../move/as-ours.ts";
import { type Block, readBlock } from "../pool/block.ts";
import { chooseKeys } from "../survey/range-keys.ts";
import { isObject, type JsonObject } from "../text/json.ts";
import { readServedPool, type ServedPool } from "./served-pool.ts";

/** What is kept of a Node; of its annotations only ours. `created` is in milliseconds since 1970. */
export type NodeRecord = {
  name: string;
  uid: string;
  version: string;
  created: number;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** Annotations by which people give addresses to the Node. */
  handMade?: Record<string, string>;
};

export type PoolRecord = PoolReference & {
  uid: string;
  version: string;
  created: number;
  generation: number;
  deleting: boolean;
  finalizers: string[];
  /** When a person said that everything lost is rebuilt; text as it stands in the annotation. */
  rebuilt: string | undefined;
  spec: JsonObject;
  status: PoolStatus;
  /** The UIDs of the objects that it was before, in the other group: their NodeBlocks are its own. */
  before: string[];
  /** Of one of nv-ipam's: `spec` and `status` are what they would be in ours. */
  served?: ServedPool;
};

export type BlockRecord = Block & {
  uid: string;
  version: string;
  created: number;
  status: NodeBlockStatus;
  /** It was made for a pool of the served group. */
  isServed: boolean;
  /** Seconds, as its pool said when it was made: what counts where that pool isn't there any more. */
  releaseDelay: number | undefined;
};

/** Of a NodeBlock: `blockReleaseDelay` of its pool, in seconds. */
export const releaseDelayKey = "ipam.kube-node.io/release-delay";

const rangeKeys = chooseKeys([], []);

/** Undefined where it is no object with a name and a UID. */
export function readNodeRecord(item: unknown): NodeRecord | undefined {
  const metadata = metadataOf(item);
  if (!metadata) return undefined;
  const annotations = textsOf(metadata.object["annotations"]);
  const ours = Object.entries(annotations).filter(
    ([key]) => key === heldBlocksKey || poolOfAnnotationKey(key) !== undefined,
  );
  const others = Object.entries(annotations).filter(
    ([key, text]) => poolOfAnnotationKey(key) === undefined && rangeKeys.isOne(key, text),
  );
  const { name, uid, version, created } = metadata;
  return {
    ...{ name, uid, version, created },
    labels: textsOf(metadata.object["labels"]),
    annotations: Object.fromEntries(ours),
    ...(others.length > 0 && { handMade: Object.fromEntries(others) }),
  };
}

export function readPoolRecord(kind: PoolKind, item: unknown): PoolRecord | undefined {
  const metadata = metadataOf(item);
  if (!metadata || !isObject(item)) return undefined;
  const { name, uid, version, created, object } = metadata;
  const finalizers = object["finalizers"];
  const annotations = textsOf(object["annotations"]);
  const served = readServedPool(kind, item);
  return {
    ...{ kind, name, uid, version, created },
    generation: Number(object["generation"] ?? 0),
    deleting: object["deletionTimestamp"] !== undefined,
    finalizers: Array.isArray(finalizers) ? finalizers.map(String) : [],
    rebuilt: annotations[rebuiltKey],
    spec: isObject(item["spec"]) ? item["spec"] : {},
    status: (isObject(item["status"]) ? item["status"] : {}) as PoolStatus,
    before: uidsOfPool({ uid, annotations }).slice(1),
    ...(served && { served, ...asOurs(served) }),
  };
}

/** Undefined also where its name claims nothing. */
export function readBlockRecord(item: unknown): BlockRecord | undefined {
  const metadata = metadataOf(item);
  if (!metadata || !isObject(item) || !isObject(item["spec"])) return undefined;
  const block = readBlock(item as unknown as NodeBlock);
  if (!block) return undefined;
  const { uid, version, created, object } = metadata;
  const delay = textsOf(object["annotations"])[releaseDelayKey];
  const status = (isObject(item["status"]) ? item["status"] : {}) as NodeBlockStatus;
  return {
    ...block,
    ...{ uid, version, created, status },
    releaseDelay: delay === undefined ? undefined : Number(delay),
    isServed: textsOf(object["labels"])[servedLabel] !== undefined,
  };
}

function metadataOf(item: unknown) {
  const object = isObject(item) && isObject(item["metadata"]) ? item["metadata"] : undefined;
  const { name, uid, resourceVersion, creationTimestamp } = object ?? {};
  if (!object || typeof name !== "string" || typeof uid !== "string") return undefined;
  const created = Date.parse(String(creationTimestamp));
  return { object, name, uid, version: String(resourceVersion ?? ""), created };
}

function textsOf(value: unknown): Record<string, string> {
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).filter(([, text]) => typeof text === "string")) as Record<
    string,
    string
  >;
}
