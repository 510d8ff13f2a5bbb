import { existsSync, renameSync, rmdirSync } from "node:fs";
import { isErrno, removeIfThere, writeAll } from "../host/files.ts";
import { openAgentWord } from "../ranges/agent-word.ts";
import { type AgentConfig, onHost } from "./config.ts";
import { keptName } from "./install-executables.ts";
import { type Manifest, openManifest, ownFolder } from "./manifest.ts";
import { removeCallNotes } from "./plugin-calls.ts";
import { sweepInstalling, sweepRunning } from "./temporaries.ts";
import { whileLocked } from "./while-locked.ts";

/**
 * Takes back what the manifest names, and nothing else: leases and records stay, and so does what somebody changed (exit code 1).
 * The other way round than it was installed, so that nothing that is left needs what is gone.
 */
export async function uninstall(config: AgentConfig): Promise<number> {
  const code = await whileLocked(config, "uninstall", async () => {
    const manifest = openManifest(config);
    let isAll = true;
    for (const path of manifest.paths().toReversed())
      isAll = (await takeBack(config, manifest, path)) && isAll;
    openAgentWord(onHost(config, config.runDir)).withdraw();
    removeCallNotes(config);
    sweepInstalling(config);
    sweepRunning(config);
    removeIfEmpty(onHost(config, ownFolder(config)));
    return isAll ? 0 : 1;
  });
  removeIfEmpty(onHost(config, config.runDir));
  return code;
}

async function takeBack(config: AgentConfig, manifest: Manifest, path: string): Promise<boolean> {
  const state = await manifest.state(path);
  if (state === "changed") {
    writeAll(1, `left ${path}: it was changed since it was installed\n`);
    return false;
  }
  if (state === "ours") {
    if (renameIfKept(onHost(config, path))) writeAll(1, `put back ${path}, as it was before\n`);
    else {
      removeIfThere(onHost(config, path));
      writeAll(1, `removed ${path}\n`);
    }
  }
  manifest.forget(path);
  return true;
}

/** Another project's program that was told to make room takes its name again, in one step. */
function renameIfKept(path: string): boolean {
  if (!existsSync(keptName(path))) return false;
  renameSync(keptName(path), path);
  return true;
}

/** In a pod, a folder of the host's is a mount, which can't be removed from there (EBUSY, EROFS). */
function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!isErrno(error, "ENOENT", "ENOTEMPTY", "EEXIST", "EBUSY", "EROFS")) throw error;
  }
}
