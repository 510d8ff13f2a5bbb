import { statSync } from "node:fs";
import { type AgentConfig, onHost } from "./config.ts";

/**
 * Folders of leases that aren't the host's where they stand here. Records and host-local name them by the host's paths, so
 * the agent has to have them there, too: else a DEL would free in a folder of the pod's own. In words.
 */
export function misplacedFolders(config: Pick<AgentConfig, "hostRoot">, dataDirs: string[]): string[] {
  return [...new Set(dataDirs)].flatMap((dataDir) => {
    const there = identityOf(onHost(config, dataDir));
    if (there === undefined || there === identityOf(dataDir)) return [];
    return [`frees nothing: mount the host's ${dataDir} at ${dataDir}, where its leases name it`];
  });
}

function identityOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}`;
}
