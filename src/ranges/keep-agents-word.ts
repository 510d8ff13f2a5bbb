import { type LastAnswer, writeLastAnswer } from "./last-answer.ts";
import { ageOf } from "./last-known.ts";
import type { NodeValue } from "./source.ts";
import type { Here, Wanted } from "./wanted.ts";

type Word = { name: string; uid: string; silence: number };

/** An answer that is kept and says the same is written anew where it is older than this part of the time that it holds for. */
const oldPart = 1 / 12;

/**
 * The agent's word is the API server's of the moment when the agent last heard of it: kept like an answer, so that it holds as long
 * after the agent has ended. What can't be kept costs nothing now.
 */
export function keepAgentsWord(
  wanted: Wanted,
  here: Here,
  agent: Word,
  value: NodeValue,
  last: LastAnswer | undefined,
): void {
  const { stateFolder, source, log } = wanted;
  const isSame = last?.node.uid === agent.uid && JSON.stringify(last.value) === JSON.stringify(value);
  const isYoung =
    isSame && last.bootID === here.bootID && ageOf(last, here) < (source.holdsFor?.(value) ?? 0) * oldPart;
  if (isYoung) return;
  try {
    writeLastAnswer(stateFolder, {
      version: 1,
      source: source.label,
      node: { name: agent.name, uid: agent.uid },
      machineIDs: here.machineIDs,
      value,
      bootID: here.bootID,
      at: here.uptime - agent.silence,
      time: new Date(Date.now() - agent.silence * 1000).toISOString(),
    });
  } catch (error) {
    log.warn("the agent's word could not be kept", { error: (error as Error).message });
  }
}
