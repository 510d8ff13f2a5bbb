import {
  allowOverlapKey,
  excludedForPodsKey,
  movedFromKey,
  type NvPool,
  nvIpamGroup,
  nvIpamVersion,
  poolGridKey,
  setBackKey,
  uidsOfPool,
} from "../api/nv-ipam.ts";
import { type PoolReference, poolApiVersion } from "../api/pool-names.ts";
import type { Pool } from "../pool/pool.ts";
import type { JsonObject } from "../text/json.ts";
import { ownExclusions } from "./exclude-pods.ts";
import { formatGrid, type PoolGrid } from "./pool-grid.ts";

/** A pool of our group, as it stands there. */
export type OwnObject = PoolReference & {
  uid: string;
  resourceVersion: string;
  finalizers: string[];
  labels: Record<string, string>;
  annotations: Record<string, string>;
  spec: JsonObject;
  grid: PoolGrid | undefined;
  isReady: boolean;
};

type Metadata = {
  name: string;
  namespace?: string;
  labels?: Record<string, string>;
  annotations: Record<string, string>;
};
export type PoolDraft = { apiVersion: string; kind: string; metadata: Metadata; spec: JsonObject };

/** What kubectl and we write there about an object is not true of the one that is made from it. */
const notCopied = [
  "kubectl.kubernetes.io/last-applied-configuration",
  movedFromKey,
  poolGridKey,
  allowOverlapKey,
  setBackKey,
  excludedForPodsKey,
];

/** nv-ipam's spec as ours says it: the same; with allowOverlap where its annotation stands for that, and without what a way back excluded for pods. */
export function specOf({ spec, annotations }: Pick<NvPool, "spec" | "annotations">): JsonObject {
  const { exclusions, ...others } = spec;
  const kept =
    annotations[excludedForPodsKey] === undefined ? exclusions : ownExclusions({ spec, annotations });
  return {
    ...others,
    ...(exclusions !== undefined && { exclusions: kept }),
    ...(annotations[allowOverlapKey] === "true" && { allowOverlap: true }),
  };
}

function copied(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !notCopied.includes(key)));
}

/** The pool of our group that one of nv-ipam's becomes: its spec as it is, and where it comes from. */
export function ownObjectOf({ kind, name, uid, labels, annotations, spec }: NvPool): PoolDraft {
  const movedFrom = uidsOfPool({ uid, annotations }).join(",");
  return {
    apiVersion: poolApiVersion,
    kind,
    metadata: { name, labels, annotations: { ...copied(annotations), [movedFromKey]: movedFrom } },
    spec: specOf({ spec, annotations }),
  };
}

/** The other way: nv-ipam's pool made again from ours. Its grid stays frozen until nothing of ours is left. */
export function nvObjectOf(own: OwnObject, pool: Pool, namespace: string): PoolDraft {
  const { kind, name, labels, annotations, spec } = own;
  return {
    apiVersion: `${nvIpamGroup}/${nvIpamVersion}`,
    kind,
    metadata: {
      ...{ name, namespace, labels },
      annotations: {
        ...copied(annotations),
        [movedFromKey]: uidsOfPool(own).join(","),
        [poolGridKey]: JSON.stringify(formatGrid(pool)),
        ...(spec["allowOverlap"] === true && { [allowOverlapKey]: "true" }),
      },
    },
    spec,
  };
}
