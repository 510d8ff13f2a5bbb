import { existsSync, statSync } from "node:fs";
import { formatIp, type Ip } from "../address/ip.ts";
import { isInside, overlaps, type Span, spanOf } from "../address/range.ts";
import { notedDataDirs } from "../lease/data-dirs.ts";
import { type Holding, type Inventory, readInventory } from "../lease/inventory.ts";
import { readMoveInNote } from "../lease/move-in-notes.ts";
import { readOldStore } from "../lease/nv-ipam-store.ts";
import { rangeSetsOf } from "../lease/range-use.ts";
import { defaultDataDir } from "../lease/store.ts";
import { findNetworks } from "../upkeep/networks.ts";
import type { AgentConfig } from "./config.ts";
import { misplacedFolders } from "./store-folders.ts";

/** A block as the stores are asked for it: by its name, which records bear, and by its addresses. */
export type BlockPlace = { name: string; span: Span };

/** All that is leased on this machine, in every store in which addresses of pools can be. */
export type PoolStores = {
  inventories: Inventory[];
  /** How many addresses of these are leased. */
  used(span: Span): number;
  /** What keeps a block from being given back, in words; "" where nothing does. */
  holder(block: BlockPlace): string;
};

const unjudged = { state: "unknown", reason: "" } as const;

/** Throws where a store can't be read, or where it isn't sure that all of them are known: then nothing is known to be free. */
export function readPoolStores(config: AgentConfig, dataDirs: string[]): PoolStores {
  const above = defaultDataDir.slice(0, defaultDataDir.lastIndexOf("/"));
  if (!existsSync(above)) throw new Error(`${above} isn't mounted here: what is leased isn't known`);
  const noted = notedDataDirs();
  const all = [...new Set([...noted, ...config.dataDirs, ...dataDirs])];
  const [misplaced] = misplacedFolders(config, all);
  if (misplaced !== undefined) throw new Error(misplaced);
  for (const dataDir of noted) if (dataDir !== defaultDataDir) refuseUnseen(dataDir);
  const inventories = findNetworks(all).map(({ network, dataDir }) =>
    readInventory(network, { dataDir, judge: () => unjudged }),
  );
  const holdings = inventories.flatMap((one) => one.holdings);
  const leases = [...holdings, ...inventories.map(({ emptyLeases }) => ({ leases: emptyLeases }))].flatMap(
    (one) => one.leases,
  );
  const old = stillOld(inventories).filter((one) => !leases.some(({ ip }) => formatIp(ip) === formatIp(one)));
  const used = (span: Span) =>
    [...leases.map(({ ip }) => ip), ...old].filter((ip) => isInside(span, ip)).length;
  return {
    inventories,
    used,
    holder({ name, span }) {
      const count = used(span);
      if (count > 0) return `${count} of its addresses are leased`;
      const claim = holdings.find((holding) => mayHold(holding, name, span));
      return claim ? `what container ${claim.containerID} holds isn't known` : "";
    },
  };
}

/**
 * Addresses that nv-ipam leased and nobody has taken over yet, and those that are in doubt: their pods may live. Throws where its store
 * can't be understood.
 */
function stillOld(inventories: Inventory[]): Ip[] {
  const store = readOldStore();
  if (!store) return [];
  const notes = inventories.flatMap(({ state }) => readMoveInNote(state.folder) ?? []);
  const current = notes.filter(({ mark }) => mark === store.mark);
  const settled = new Set(current.flatMap(({ pools }) => pools));
  const doubts = new Set(current.flatMap((note) => note.doubts.map(({ address }) => address)));
  return store.leases
    .filter(({ pool, ip }) => !settled.has(pool) || doubts.has(formatIp(ip)))
    .map(({ ip }) => ip);
}

/** Pools' addresses were leased there: where it isn't seen, they may be still. */
function refuseUnseen(dataDir: string): void {
  if (statSync(dataDir, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new Error(
    `${dataDir} isn't seen here, and holds leases of pools: mount it at ${dataDir}; where it is gone for good, remove its name from ${defaultDataDir}/.kube-node/.data-dirs`,
  );
}

/** A record of somebody that was given this block to choose from, and of whom not each range set's address is seen elsewhere. */
function mayHold({ record, leases }: Holding, name: string, span: Span): boolean {
  if (!record) return false;
  if (!record.record) return leases.length === 0;
  const sets = rangeSetsOf(record.record.ipam);
  const isOf = sets.some((set) =>
    set.some((range) => range.pool?.block === name || overlaps(spanOf(range), span)),
  );
  return isOf && leases.length < sets.length;
}
