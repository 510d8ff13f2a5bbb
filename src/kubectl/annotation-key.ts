import { heldBlocksKey } from "../api/held-blocks.ts";
import { nvIpamGroup, nvIpamNodeGroup } from "../api/nv-ipam.ts";
import { type PoolReference, poolGroup, poolOfAnnotationKey } from "../api/pool-names.ts";
import { podCIDRsKey } from "../survey/node-ranges.ts";
import { readPoolWord } from "./pool-words.ts";
import { UsageError } from "./usage-error.ts";

/**
 * Kubernetes' qualified names: an optional DNS prefix, a slash, up to 63 characters; and none that others write, or by which something
 * else is shown. Throws a UsageError.
 */
export function checkKey(key: string): string {
  const [name = "", prefix, ...more] = key.split("/").reverse();
  const isName = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(name);
  const isPrefix = prefix === undefined || /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(prefix);
  if (!isName || !isPrefix || more.length > 0)
    throw new UsageError(
      `${JSON.stringify(key)} is no key of an annotation: expected one such as example.com/net1`,
    );
  const whose = describeOwner(key);
  if (whose !== undefined) throw new UsageError(`${key} ${whose}`);
  return key;
}

/** Whether people write ranges by this key themselves. */
export function isOwnKey(key: string): boolean {
  return describeOwner(key) === undefined;
}

/** Whose a key is, and what to do instead; undefined where people may write it. */
function describeOwner(key: string): string | undefined {
  const prefix = key.split("/").at(-2);
  if (key === podCIDRsKey)
    return "is a field of Nodes, which Kubernetes sets, and no annotation: choose a key such as example.com/net1";
  const written = poolOfAnnotationKey(key);
  if (written) return `is written by kube-node-controller, by what its pool says: ${wayFor(written)}`;
  const shown = readPoolWord(key);
  if (shown) return `is a pool, and no annotation: ${wayFor(shown)}`;
  if (key === heldBlocksKey)
    return "is written by the node's agent: it takes it away itself, once kubectl kube-node rebuild has made the NodeBlocks";
  if (prefix === poolGroup || prefix?.endsWith(`.${poolGroup}`))
    return "is kept for kube-node's controller and agent: choose a key such as example.com/net1";
  if (prefix === nvIpamGroup || prefix === nvIpamNodeGroup)
    return "is nv-ipam's: change its pool instead, or choose a key such as example.com/net1";
  return undefined;
}

function wayFor({ kind, name }: PoolReference): string {
  return `change or delete the pool instead (kubectl edit ${kind.toLowerCase()} ${name})`;
}
