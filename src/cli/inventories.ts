import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Range } from "../address/range.ts";
import { CniError, code } from "../cni/error.ts";
import { isErrno } from "../host/files.ts";
import { type Inventory, readInventory } from "../lease/inventory.ts";
import { judgeFromHere } from "../lease/liveness.ts";
import { defaultDataDir } from "../lease/store.ts";
import { findNetworks, type Place, rangesOf, readConfigured } from "../upkeep/networks.ts";
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
  const judge = judgeFromHere();
  const inventories = places.flatMap(({ network, dataDir }) => {
    try {
      const inventory = readInventory(network, { dataDir, judge });
      return [{ ...inventory, ranges: rangesOf(inventory) }];
    } catch (error) {
      if (!(error instanceof CniError) && !isErrno(error, "EACCES", "EPERM")) throw error;
      note(`warning: network ${network} is left out: ${wordsOf(error as Error)}`);
      return [];
    }
  });
  return { inventories, complete: inventories.length === places.length };
}

function wordsOf(error: Error): string {
  if (!(error instanceof CniError)) return `${error.message}; run it as root`;
  return error.details ? `${error.message}: ${error.details}` : error.message;
}

/** A folder that somebody names is one that is meant; that of a configuration, or the usual one, is made by the first ADD. */
function expectFolder(dataDir: string): void {
  const stat = statSync(dataDir, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return;
  const hint = `expected a configuration's dataDir, as ${defaultDataDir} is where none is named`;
  throw new CniError(
    code.io,
    `--data-dir ${dataDir}: ${stat ? "it is no folder" : "there is no such folder"}`,
    hint,
  );
}

function findPlaces({ network, dataDir, confDir }: NetworkChoice, note: (text: string) => void): Place[] {
  if (dataDir !== undefined) expectFolder(dataDir);
  const configured = readConfigured(confDir ?? "/etc/cni/net.d", note);
  const folders =
    dataDir === undefined ? [defaultDataDir, ...configured.map((one) => one.dataDir)] : [resolve(dataDir)];
  const all = findNetworks(folders);
  if (network === undefined) return all;
  const chosen = all.filter((place) => place.network === network);
  if (chosen.length > 0) return chosen;
  const place = configured.find((one) => one.network === network);
  if (place) return [{ network, dataDir: dataDir === undefined ? place.dataDir : resolve(dataDir) }];
  const found = all.length === 0 ? "none" : all.map((one) => one.network).join(", ");
  throw new CniError(code.invalidConfig, `there is no network ${network} on this machine`, `found ${found}`);
}
