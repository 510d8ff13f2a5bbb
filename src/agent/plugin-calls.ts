import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { callNotes, parseCallNotes } from "../host/call-notes.ts";
import { isErrno, readText } from "../host/files.ts";
import { type AgentConfig, onHost } from "./config.ts";
import type { Metrics } from "./metrics.ts";

/**
 * Counts what the plugin noted of its calls. The file is put aside and read at the next turn, so that a call which was about to
 * write into it has done so: a call shows one turn late.
 */
export function countPluginCalls(config: AgentConfig, { pluginCalls }: Metrics): void {
  const [path, aside] = notesOf(config);
  for (const { verb, result, milliseconds } of parseCallNotes(readText(aside, 8 << 20) ?? ""))
    pluginCalls.observe({ verb, result }, milliseconds / 1000);
  rmSync(aside, { force: true });
  if (statSync(path, { throwIfNoEntry: false })?.size === 0) return;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
  }
  writeFileSync(path, "", { mode: 0o600 });
}

/** Without the file, the plugin notes nothing. */
export function removeCallNotes(config: AgentConfig): void {
  for (const path of notesOf(config)) rmSync(path, { force: true });
}

function notesOf(config: AgentConfig): [path: string, aside: string] {
  const path = `${onHost(config, config.runDir)}/${callNotes.slice(callNotes.lastIndexOf("/") + 1)}`;
  return [path, `${path}.read`];
}
