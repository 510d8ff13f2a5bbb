import { type PoolKind, poolKinds } from "./pool-kind.ts";

/** The group and version of our pools and node blocks. */
export const poolGroup = "ipam.kube-node.io";
export const poolVersion = "v1alpha1";
export const poolApiVersion = `${poolGroup}/${poolVersion}`;

/** Where the API server has pools and NodeBlocks. */
export const poolFolder = `/apis/${poolApiVersion}`;
export const nodeBlocksPath = `${poolFolder}/nodeblocks`;

/** What kube-node-controller calls itself: its Lease, and its field manager in what it writes. */
export const controllerName = "kube-node-controller";

/** Where a kind's pools are, or one of them. */
export function poolPath(kind: PoolKind, name?: string): string {
  const all = `${poolFolder}/${kind.toLowerCase()}s`;
  return name === undefined ? all : `${all}/${name}`;
}

/** A pool among all: an IPPool and a CIDRPool may share a name. */
export type PoolReference = { kind: PoolKind; name: string };

/** `IPPool/a`: a pool among all, as text. */
export function poolKey({ kind, name }: PoolReference): string {
  return `${kind}/${name}`;
}

/** The Node's annotation that carries its blocks of a pool: `ippool.ipam.kube-node.io/NAME`. */
export function poolAnnotationKey({ kind, name }: PoolReference): string {
  return `${kind.toLowerCase()}.${poolGroup}/${name}`;
}

/** The pool that an annotation's key belongs to; undefined for any other annotation. */
export function poolOfAnnotationKey(key: string): PoolReference | undefined {
  const kind = poolKinds.find((one) => key.startsWith(`${one.toLowerCase()}.${poolGroup}/`));
  return kind && { kind, name: key.slice(key.indexOf("/") + 1) };
}

/** The name of the NodeBlock that claims a place on a pool's grid: `ippool.NAME.INDEX`. Creating it is the claim. */
export function nodeBlockName({ kind, name }: PoolReference, index: bigint): string {
  return `${kind.toLowerCase()}.${name}.${index}`;
}

/** The pool and the index that a NodeBlock's name says; undefined where it isn't one of ours. */
export function parseNodeBlockName(text: string): (PoolReference & { index: bigint }) | undefined {
  const [, kind, name, index] = /^(ippool|cidrpool)\.(.+)\.(0|[1-9]\d*)$/.exec(text) ?? [];
  if (name === undefined || index === undefined) return undefined;
  return { kind: kind === "ippool" ? "IPPool" : "CIDRPool", name, index: BigInt(index) };
}
