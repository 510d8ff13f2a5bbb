import type { Wanted } from "../ranges/wanted.ts";
import type { ReadRequest } from "./request.ts";

/** What the search for ranges needs to know of a request. */
export function toWanted(request: ReadRequest): Wanted {
  const { network, source, cacheTTL, nodeName, kubeconfig, env, state, budget, log } = request;
  return {
    network: network.name,
    source,
    cacheTTL,
    ...(nodeName !== undefined && { nodeName }),
    ...(kubeconfig !== undefined && { kubeconfig }),
    env,
    stateFolder: state.folder,
    ...(request.mayHaveLegacyCache && { legacy: { dataDir: request.dataDir } }),
    patience: budget.patience,
    log,
  };
}
