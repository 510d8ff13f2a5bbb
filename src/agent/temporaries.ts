import { listFolder, removeIfThere } from "../host/files.ts";
import { type AgentConfig, onHost } from "./config.ts";
import { newFile, ownFolder } from "./manifest.ts";

/** What agents that were killed in the middle of installing left. Whoever calls this has the lock. */
export function sweepInstalling(config: AgentConfig): void {
  for (const folder of [config.cniBinDir, config.cniConfDir, ownFolder(config)])
    sweep(onHost(config, folder), [newFile]);
}

/** And what they left where the plugin hears from them: where no agent is at work there. */
export function sweepRunning(config: AgentConfig): void {
  sweep(onHost(config, config.runDir), [".tmp-", ".agent-", "agent.sock.dead-"]);
}

function sweep(folder: string, beginnings: string[]): void {
  const isLeft = (name: string) => beginnings.some((beginning) => name.startsWith(beginning));
  for (const name of listFolder(folder)) if (isLeft(name)) removeIfThere(`${folder}/${name}`);
}
