import { existsSync } from "node:fs";
import type { PluginConfig } from "../api/plugin-config.ts";
import { isPoolList, isPoolType } from "../api/plugin-config.ts";
import type { PoolKind } from "../api/pool-kind.ts";
import type { PoolReference } from "../api/pool-names.ts";
import { CniError, code } from "../cni/error.ts";
import type { Network } from "../cni/network.ts";
import { noteDataDir } from "../lease/data-dirs.ts";
import { doubtfulAddresses, isInDoubt, isMovedIn, noteEnded } from "../lease/move-in-notes.ts";
import { nvIpamSocket, oldPoolKey } from "../lease/nv-ipam-store.ts";
import { pools } from "../ranges/pool-source.ts";
import type { Source } from "../ranges/source.ts";
import { isObject } from "../text/json.ts";
import { askDelegate, readAsked } from "./pool-addresses.ts";
import { withPoolFacts } from "./pool-result.ts";
import { readKey, readKeyAs } from "./read-key.ts";
import type { Pooled } from "./request.ts";
import { withhold } from "./withhold.ts";

/**
 * A pool's own part of a request: nv-ipam's keys in `ipam`, and in `args.cni`, which go before those. Undefined where neither names
 * pools after all.
 */
export function readPools(
  config: PluginConfig,
  network: Network,
): { source: Source; pooled: Pooled } | undefined {
  const args = argsOf(network);
  const asked = args("poolNames", isNameList, "one name, or two");
  if (config.pool === undefined && config.poolType === undefined) {
    if (asked === undefined) return undefined;
    const hint = "this network takes its ranges from elsewhere: set ipam.pool or ipam.poolType";
    throw new CniError(code.invalidConfig, "args.cni.poolNames names pools of a network that has none", hint);
  }
  const kind = kindFrom(args("poolType", isPoolType, "ippool or cidrpool") ?? config.poolType);
  const names = namesIn(asked ?? config.pool ?? network.name);
  const source = pools(kind, names);
  const references = names.map((name) => ({ kind, name }));
  return { source, pooled: makePooled(config, network, source.label, references) };
}

function makePooled(
  config: PluginConfig,
  network: Network,
  pool: string,
  references: PoolReference[],
): Pooled {
  const keys = references.map(({ kind, name }) => oldPoolKey(kind, name));
  const isNvIpams = isObject(network.raw["ipam"]) && network.raw["ipam"]["type"] === "nv-ipam";
  return {
    pools: references,
    isNvIpams,
    isMovedIn: (stateFolder) => !(isNvIpams && existsSync(nvIpamSocket)) && isMovedIn(stateFolder, keys),
    ended(stateFolder, attachment) {
      if (!isMovedIn(stateFolder, keys) || isInDoubt(stateFolder, attachment))
        noteEnded(stateFolder, attachment);
    },
    begin: () => noteDataDir(config.dataDir),
    askFor(given, { node, args, env, stateFolder }) {
      const ipam = withhold(given, doubtfulAddresses(stateFolder));
      const asked = readAsked(argsOf(network), network, args);
      const asking = askDelegate(asked, { ipam, pool, node, network, env });
      return { ...asking, answer: (stdout) => withPoolFacts(stdout, asking.ipam, network.cniVersion) };
    },
  };
}

/** A key of `args.cni`. */
export type Args = <T>(
  name: string,
  isGood: (value: unknown) => value is T,
  expected: string,
) => T | undefined;

function argsOf({ raw }: Network): Args {
  const args = readKey(raw["args"], "cni", "args");
  return (name, isGood, expected) => readKeyAs(args, name, "args.cni", isGood, expected);
}

function kindFrom(type: unknown): PoolKind {
  return String(type ?? "").toLowerCase() === "cidrpool" ? "CIDRPool" : "IPPool";
}

function isNameList(value: unknown): value is string | string[] {
  if (!Array.isArray(value)) return isPoolList(value);
  return value.every((one) => typeof one === "string" && !one.includes(",")) && isPoolList(value.join(","));
}

function namesIn(names: string | string[]): string[] {
  return (Array.isArray(names) ? names : names.split(",")).map((name) => name.trim());
}
