import type { Health, Part } from "../daemon/part.ts";
import { version } from "../host/version.ts";
import { onHost } from "./config.ts";
import type { AgentContext } from "./context.ts";
import { acquireLock, type Lock } from "./lock.ts";

/** `held` resolves once this agent is the node's only one; false where it was told to end before. */
export function holdLock(context: AgentContext): { part: Part; held: Promise<boolean> } {
  const { config, log, signal } = context;
  let health: Health = { live: true, ready: false, words: "not taken yet" };
  let lock: Lock | undefined;
  const onWait = (words: string, isFault: boolean) => {
    if (words !== health.words) (isFault ? log.error : log.warn)(words, {});
    health = { live: true, ready: false, words };
  };
  const self = `kube-node-agent ${version}, process ${process.pid}, since ${new Date().toISOString()}`;
  const taken = acquireLock(onHost(config, config.runDir), self, { signal, onWait }).then((own) => {
    lock = own;
    health = { live: true, ready: true, words: "this is the node's only agent" };
    log.debug("the lock is taken", {});
    return true;
  });
  const held = taken.catch((error) => {
    if (signal.aborted) return false;
    throw error;
  });
  const timer = setInterval(() => {
    if (lock?.isHeld() === false)
      context.fail("somebody took the lock's file away: another agent may be at work");
  }, 2000);
  return {
    held,
    part: {
      name: "lock",
      stop: async () => {
        clearInterval(timer);
        await held;
        await lock?.release();
      },
      health: () => health,
    },
  };
}
