import { listFolder, removeIfThere } from "../host/files.ts";
import { type AgentConfig, onHost } from "./config.ts";
import { ownFolder } from "./manifest.ts";

/** How an executable's name begins until it is known to be whole. */
export const newExecutable = ".kube-node.new-";

/** What agents that were killed in the middle of installing left. Whoever calls this has the lock. */
export function sweepInstalling(config: AgentConfig): void {
  sweep(onHost(config, config.cniBinDir), /^\.kube-node\.new-/);
  sweep(onHost(config, ownFolder(config)), /^\.tmp-/);
}

/** And what they left where the plugin hears from them: where no agent is at work there. */
export function sweepRunning(config: AgentConfig): void {
  sweep(onHost(config, config.runDir), /^\.tmp-|^\.agent-|^agent\.sock\.dead-/);
}

function sweep(folder: string, left: RegExp): void {
  for (const name of listFolder(folder)) if (left.test(name)) removeIfThere(`${folder}/${name}`);
}
