import { CniError, code } from "../cni/error.ts";
import { writeLastAnswer } from "./last-answer.ts";
import type { NodeValue } from "./source.ts";
import type { Fence, Here, Word } from "./wanted.ts";

/** An answer that is kept and says the same is written anew where it is older than this part of the time that it holds for. */
const oldPart = 1 / 12;

/**
 * Keeps a node that is cut off from using blocks that may be another node's by now: what the API server last said of them holds for
 * some seconds, and a doubt counts as longer ago.
 */
export function makeFence(label: string, holdsFor: (value: NodeValue) => number): Fence {
  return {
    hasExpired: (word, here) => !isWithin(word, here, holdsFor(word.value)),
    refuse({ value, ...word }, here, reason) {
      const age = ageOf(word, here);
      const since = age >= 0 ? `${inHours(age)} ago` : "at a time that this machine's clock has not come to";
      return new CniError(
        code.rangesExpired,
        `the blocks of ${label} hold no longer: the API server was last heard of them ${since}, and they hold for ${inHours(holdsFor(value))}`,
        `${reason}; by now they may be another node's. Pods get addresses again once this node reaches the API server: kube-node doctor`,
      );
    },
    keep(word, here, last, { stateFolder, source, log }) {
      const isSame =
        last?.node.uid === word.node.uid && JSON.stringify(last.value) === JSON.stringify(word.value);
      if (isSame && isWithin(last, here, holdsFor(word.value) * oldPart)) return;
      try {
        writeLastAnswer(stateFolder, {
          version: 1,
          source: source.label,
          machineIDs: here.machineIDs,
          ...word,
        });
      } catch (error) {
        log.warn("the agent's word could not be kept", { error: (error as Error).message });
      }
    },
  };
}

/** A clock that can't be right is a doubt: an answer of a time to come, or of before this boot at a time within it. */
function isWithin(word: Word, here: Here, seconds: number): boolean {
  const age = ageOf(word, here);
  const isPlausible = word.bootID === here.bootID ? age >= 0 : age >= here.uptime;
  return isPlausible && age <= seconds;
}

/** Seconds; within a boot whatever the clock did. */
function ageOf({ bootID, at, time }: Omit<Word, "value">, here: Here): number {
  return bootID === here.bootID ? here.uptime - at : (Date.now() - Date.parse(time)) / 1000;
}

function inHours(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
