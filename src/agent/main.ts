import { UsageError } from "../daemon/usage-error.ts";
import { writeAll } from "../host/files.ts";
import { runCommandLine } from "./command-line.ts";
import type { AgentConfig } from "./config.ts";
import { faultWords } from "./fault-words.ts";
import { install } from "./install.ts";
import { run } from "./run.ts";
import { stay } from "./stay.ts";
import { uninstall } from "./uninstall.ts";

/** `kube-node-agent WORDS`: 0 ended as told, 1 something went wrong, 2 a mistake in flags or environment. */
export async function runAgent(words: string[]): Promise<number> {
  try {
    return await runCommandLine(words, { run, install, uninstall: leave }, (text) =>
      writeAll(1, `${text}\n`),
    );
  } catch (error) {
    writeAll(2, `kube-node-agent: ${faultWords(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function leave(config: AgentConfig): Promise<number> {
  const exitCode = await uninstall(config);
  if (config.stay && exitCode === 0) await stay();
  return exitCode;
}
