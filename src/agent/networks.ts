import type { Place } from "../upkeep/networks.ts";
import { placesOf, readServed, type ServedNetwork, textsIn } from "../upkeep/served-networks.ts";
import { listAttachmentDefinitions } from "./attachment-definitions.ts";
import { onHost } from "./config.ts";
import type { AgentContext } from "./context.ts";

/** The networks of this node: those that a configuration or a definition gives to our plugins, and the places of all that keep something here. */
export type Networks = {
  find(): Promise<{ served: ServedNetwork[]; places: Place[] }>;
  stop(): Promise<void>;
};

const made = new WeakMap<AgentContext, Networks>();

/** The same for all parts, so that the cluster is asked once, and what is wrong is said once. */
export function networksIn(context: AgentContext): Networks {
  const networks = made.get(context) ?? makeNetworks(context);
  made.set(context, networks);
  return networks;
}

/** What can't be read is said once, until it changes. Of definitions only those count that this Node has ranges for, or that keep something here. */
function makeNetworks(context: AgentContext): Networks {
  const { config, log, ownNode } = context;
  const definitions = listAttachmentDefinitions(context);
  let said = new Set<string>();

  return {
    stop: definitions.stop,
    async find() {
      const notes = new Set<string>();
      const note = (words: string) => void notes.add(words);
      const defined = definitions.current();
      const inFolder = await readServed(textsIn(onHost(config, config.cniConfDir), note), note);
      const inCluster = await readServed(defined, note);
      const places = placesOf([...inFolder, ...inCluster], config.dataDirs);
      for (const words of notes)
        if (!said.has(words)) log.warn("a configuration is left out", { reason: words });
      said = notes;
      const kept = new Set(places.map(({ dataDir, network }) => `${dataDir}/${network}`));
      const annotations = ownNode.current()?.annotations ?? {};
      const isHere = ({ dataDir, network, request }: ServedNetwork) =>
        kept.has(`${dataDir}/${network}`) ||
        request.source.keys.some((key) => Object.hasOwn(annotations, key));
      const known = new Set(inFolder.map(keyOf));
      const others = inCluster.filter((one) => !known.has(keyOf(one)) && isHere(one));
      return { served: [...inFolder, ...others], places };
    },
  };
}

function keyOf({ dataDir, network, request }: ServedNetwork): string {
  return [dataDir, network, request.source.label].join("\n");
}
