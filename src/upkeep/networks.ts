import { statSync } from "node:fs";
import type { Range } from "../address/range.ts";
import { parseConfiguredNetworks } from "../cni/configured-networks.ts";
import { identifier } from "../cni/environment.ts";
import { listFolder, readText } from "../host/files.ts";
import { machineIDs } from "../host/machine.ts";
import type { Inventory } from "../lease/inventory.ts";
import { knownRanges, rangeSetsOf } from "../lease/range-use.ts";
import { defaultDataDir } from "../lease/store.ts";
import { lastRanges } from "../ranges/last-ranges.ts";

/** A network of this machine, and where it keeps its leases. */
export type Place = { network: string; dataDir: string };

/** The networks that have a store of host-local's or a folder of ours in one of these folders, by name. */
export function findNetworks(dataDirs: string[]): Place[] {
  const kept = [...new Set(dataDirs)].flatMap((dataDir) =>
    listNetworks(dataDir).map((network): Place => ({ network, dataDir })),
  );
  return kept.sort((a, b) => (a.network < b.network ? -1 : 1));
}

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
export function readConfigured(folder: string, note: (text: string) => void): Place[] {
  return readConfigurations(folder, note).flatMap(({ path, text }) => {
    try {
      return parseConfiguredNetworks(text).map(({ network, dataDir }) => {
        return { network, dataDir: dataDir ?? defaultDataDir };
      });
    } catch (error) {
      note(`warning: ${path} is passed over: ${(error as Error).message}; kube-node check-config says more`);
      return [];
    }
  });
}

/** The files that a runtime would look at in its folder of configurations, in its order. */
export function readConfigurations(
  folder: string,
  note: (text: string) => void,
): { path: string; text: string }[] {
  const files = listFolder(folder).filter((name) => /\.(?:conf|conflist|json)$/.test(name));
  return files.sort().flatMap((name) => {
    const path = `${folder}/${name}`;
    try {
      return [{ path, text: readText(path) ?? "{}" }];
    } catch (error) {
      note(`warning: ${path} is passed over: ${(error as Error).message}; kube-node check-config says more`);
      return [];
    }
  });
}

/** A network's ranges: what records tell of, else what the API server last said. */
export function rangesOf({ holdings, state }: Inventory): Range[] {
  const recorded = knownRanges(holdings);
  return recorded.length > 0 ? recorded : rangeSetsOf(lastRanges(state.folder, machineIDs())).flat();
}
