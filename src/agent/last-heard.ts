import { readText } from "../host/files.ts";
import { bootID, uptime } from "../host/machine.ts";
import { longestSilence } from "../ranges/agent-file.ts";
import { isObject } from "../text/json.ts";
import { type AgentConfig, onHost } from "./config.ts";

/** Seconds since the API server was last heard, by the word that the plugin goes by; undefined where it wasn't in this boot. */
export function silenceOf(config: AgentConfig): number | undefined {
  try {
    const alive: unknown = JSON.parse(readText(`${onHost(config, config.runDir)}/alive`) ?? "");
    if (!isObject(alive) || alive["bootID"] !== bootID() || typeof alive["heardAt"] !== "number")
      return undefined;
    return Math.max(0, uptime() - alive["heardAt"]);
  } catch {
    return undefined; // Not written yet, or damaged.
  }
}

export function isConnected(silence: number | undefined): boolean {
  return silence !== undefined && silence <= longestSilence;
}
