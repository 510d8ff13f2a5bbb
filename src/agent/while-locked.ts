import { writeAll } from "../host/files.ts";
import { version } from "../host/version.ts";
import { type AgentConfig, onHost } from "./config.ts";
import { acquireLock } from "./lock.ts";

/** For commands that change what an agent keeps: no agent works meanwhile. Whom it waits for is said on standard error. */
export async function whileLocked<T>(
  config: AgentConfig,
  command: string,
  act: () => Promise<T>,
): Promise<T> {
  const ending = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => ending.abort());
  let said = "";
  const onWait = (words: string) => {
    if (words !== said) writeAll(2, `kube-node-agent: ${words}\n`);
    said = words;
  };
  const self = `kube-node-agent ${command} ${version}, process ${process.pid}`;
  const lock = await acquireLock(onHost(config, config.runDir), self, { signal: ending.signal, onWait });
  try {
    return await act();
  } finally {
    await lock.release();
  }
}
