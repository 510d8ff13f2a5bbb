import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Range } from "../address/range.ts";
import { parseConfiguredNetworks } from "../cni/configured-networks.ts";
import { identifier } from "../cni/environment.ts";
import { CniError, code } from "../cni/error.ts";
import { isErrno, listFolder, readText } from "../host/files.ts";
import { machineIDs } from "../host/machine.ts";
import { type Inventory, readInventory } from "../lease/inventory.ts";
import { lookAround } from "../lease/liveness.ts";
import { knownRanges, rangeSetsOf } from "../lease/range-use.ts";
import { defaultDataDir } from "../lease/store.ts";
import { lastRanges } from "../ranges/last-ranges.ts";
import { text } from "./command.ts";
import type { Terminal } from "./terminal.ts";

/** Flags that say which networks of this machine a command is about. */
export const networkInputs = {
  network: text("NAME", "only this network"),
  dataDir: text(
    "DIR",
    `only the networks in this folder (default: ${defaultDataDir}, and what configurations name)`,
  ),
  confDir: text("DIR", "where the runtime's network configurations lie (default: /etc/cni/net.d)"),
} as const;

export type NetworkChoice = { [Name in keyof typeof networkInputs]: string | undefined };

/** A network and its ranges: what records tell of, else what the API server last said. */
export type KnownNetwork = Inventory & { ranges: Range[] };

/** Reads the chosen networks of this machine, by name; what of them can't be read is noted, and `complete` is false. */
export function readInventories(
  choice: NetworkChoice,
  { note }: Terminal,
): { inventories: KnownNetwork[]; complete: boolean } {
  const places = findPlaces(choice, note);
  const view = lookAround();
  const inventories = places.flatMap(({ network, dataDir }) => {
    try {
      return [withRanges(readInventory(network, { dataDir, view }))];
    } catch (error) {
      if (!(error instanceof CniError) && !isErrno(error, "EACCES", "EPERM")) throw error;
      note(`warning: network ${network} is left out: ${wordsOf(error as Error)}`);
      return [];
    }
  });
  return { inventories, complete: inventories.length === places.length };
}

function withRanges(inventory: Inventory): KnownNetwork {
  const recorded = knownRanges(inventory.holdings);
  const last = () => rangeSetsOf(lastRanges(inventory.state.folder, machineIDs())).flat();
  return { ...inventory, ranges: recorded.length > 0 ? recorded : last() };
}

function wordsOf(error: Error): string {
  if (!(error instanceof CniError)) return `${error.message}; run it as root`;
  return error.details ? `${error.message}: ${error.details}` : error.message;
}

type Place = { network: string; dataDir: string };

function findPlaces({ network, dataDir, confDir }: NetworkChoice, note: (text: string) => void): Place[] {
  const configured = readConfigured(confDir ?? "/etc/cni/net.d", note);
  const folders =
    dataDir === undefined ? [defaultDataDir, ...configured.map((one) => one.dataDir)] : [resolve(dataDir)];
  const kept = folders.flatMap((folder) =>
    listNetworks(folder).map((name): Place => ({ network: name, dataDir: folder })),
  );
  const byPath = new Map(kept.map((place) => [`${place.dataDir}/${place.network}`, place]));
  const all = [...byPath.values()].sort((a, b) => (a.network < b.network ? -1 : 1));
  if (network === undefined) return all;
  const chosen = all.filter((place) => place.network === network);
  if (chosen.length > 0) return chosen;
  const place = configured.find((one) => one.network === network);
  if (place) return [{ network, dataDir: dataDir === undefined ? place.dataDir : resolve(dataDir) }];
  const found = all.length === 0 ? "none" : all.map((one) => one.network).join(", ");
  throw new CniError(code.invalidConfig, `there is no network ${network} on this machine`, `found ${found}`);
}

/** Networks that have a store of host-local's or a folder of ours. */
function listNetworks(dataDir: string): string[] {
  const names = [dataDir, `${dataDir}/.kube-node`].flatMap((folder) =>
    listFolder(folder).filter(
      (name) =>
        identifier.test(name) && statSync(`${folder}/${name}`, { throwIfNoEntry: false })?.isDirectory(),
    ),
  );
  return [...new Set(names)];
}

/** Networks of the runtime's configurations that use one of our plugins, and where each keeps its leases. */
function readConfigured(folder: string, note: (text: string) => void): Place[] {
  const files = listFolder(folder).filter((name) => /\.(?:conf|conflist|json)$/.test(name));
  return files.sort().flatMap((name) => {
    const path = `${folder}/${name}`;
    try {
      return parseConfiguredNetworks(readText(path) ?? "{}").map(({ network, dataDir }) => {
        return { network, dataDir: dataDir ?? defaultDataDir };
      });
    } catch (error) {
      note(`warning: ${path} is passed over: ${(error as Error).message}; kube-node check-config says more`);
      return [];
    }
  });
}
