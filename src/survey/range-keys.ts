import { heldBlocksKey } from "../api/held-blocks.ts";
import { poolOfAnnotationKey } from "../api/pool-names.ts";
import type { Network } from "./network.ts";
import { parseRanges, podCIDRsKey } from "./node-ranges.ts";

/** Annotations by which a Node gives ranges, each with the reason why it counts as one, for people. */
export type RangeKeys = {
  /** Of each key, why it is one. */
  reasons: Map<string, string>;
  /** Whether a Node's annotation is one; remembers it, with the reason. */
  isOne(key: string, value: string): boolean;
  /** The grammar of a key that a NetworkAttachmentDefinition names. */
  pluginOf(key: string): Network["plugin"] | undefined;
};

/**
 * With `given` keys those alone. Else the keys that NetworkAttachmentDefinitions name, every annotation whose value parses as
 * ranges, and those whose key has "kube-node" in it, so that malformed ones are seen.
 */
export function chooseKeys(networks: readonly Network[], given: readonly string[]): RangeKeys {
  const reasons = new Map<string, string>(given.map((key) => [key, "given by --key"]));
  const plugins = new Map(networks.map(({ key, plugin }) => [key, plugin]));
  if (given.length === 0)
    for (const { key, name } of networks)
      reasons.set(key, [reasons.get(key) ?? "named by NetworkAttachmentDefinition", name].join(" "));
  return {
    reasons,
    pluginOf: (key) => plugins.get(key),
    isOne(key, value) {
      if (key === podCIDRsKey) return false; // An annotation that is called so isn't the Node's podCIDRs.
      if (reasons.has(key)) return true;
      const reason = given.length > 0 ? undefined : reasonFor(key, value);
      if (reason !== undefined) reasons.set(key, reason);
      return reason !== undefined;
    },
  };
}

function reasonFor(key: string, value: string): string | undefined {
  if (key === heldBlocksKey) return undefined;
  const pool = poolOfAnnotationKey(key);
  if (pool) return `written for ${pool.kind} ${pool.name}`;
  if (/kube-node/.test(key)) return 'has "kube-node" in its key';
  return isRanges(value) ? "its value is made of ranges" : undefined;
}

/** Most annotations are none at the first look. */
function isRanges(value: string): boolean {
  if (!/^\s*["[{]|\/\d/.test(value) || value.length > 1 << 16) return false;
  try {
    parseRanges(value);
    return true;
  } catch {
    return false;
  }
}
