import { type ConfiguredPlugin, parseConfiguredPlugins } from "../cni/configured-networks.ts";
import { CniError } from "../cni/error.ts";
import { parseNetwork } from "../cni/network.ts";
import type { Log } from "../host/log.ts";
import { defaultDataDir } from "../lease/store.ts";
import { readers } from "../request/readers.ts";
import type { ReadRequest } from "../request/request.ts";
import { JsonSyntaxError } from "../text/json.ts";
import { findNetworks, type Place, readConfigurations } from "./networks.ts";

/** A text that may be a CNI configuration, with where it stands, for people; `name` where the text needn't have one. */
export type ConfigurationText = { origin: string; text: string; name?: string };

/** A network that a configuration gives to one of our plugins, read as the plugin would. */
export type ServedNetwork = Place & { origin: string; request: ReadRequest };

/** The configurations in a folder. */
export function textsIn(folder: string, note: (text: string) => void): ConfigurationText[] {
  return readConfigurations(folder, note).map(({ path, text }) => ({ origin: path, text }));
}

/** Each network and source once, the first that names it. What can't be read is noted and left out. */
export async function readServed(
  texts: ConfigurationText[],
  note: (text: string) => void,
): Promise<ServedNetwork[]> {
  const served = new Map<string, ServedNetwork>();
  for (const { origin, text, name } of texts) {
    try {
      for (const plugin of parseConfiguredPlugins(text, name)) {
        const request = await readRequest(plugin);
        const dataDir = request.dataDir ?? defaultDataDir;
        const key = [dataDir, request.network.name, request.source.label].join("\n");
        if (!served.has(key)) served.set(key, { network: request.network.name, dataDir, origin, request });
      }
    } catch (error) {
      if (!(error instanceof CniError) && !(error instanceof JsonSyntaxError)) throw error;
      const details = error instanceof CniError && error.details ? `: ${error.details}` : "";
      note(`${origin} is passed over: ${error.message}${details}`);
    }
  }
  return [...served.values()];
}

async function readRequest({ plugin, raw }: ConfiguredPlugin): Promise<ReadRequest> {
  return await readers[plugin](parseNetwork(JSON.stringify(raw)), [], {}, () => silent);
}

const pass = () => {};
const silent: Log = { trace: pass, debug: pass, info: pass, warn: pass, error: pass };

/** All networks that keep something on this machine, whether a configuration still tells of them or not. */
export function placesOf(served: ServedNetwork[], dataDirs: string[]): Place[] {
  return findNetworks([...dataDirs, ...served.map(({ dataDir }) => dataDir)]);
}
