import { CniError, code } from "../cni/error.ts";
import type { LastAnswer } from "./last-answer.ts";
import type { Here, Wanted } from "./wanted.ts";

/** Seconds; within a boot whatever the clock did. */
export function ageOf(last: Pick<LastAnswer, "bootID" | "at" | "time">, here: Here): number {
  if (last.bootID === here.bootID) return here.uptime - last.at;
  return (Date.now() - Date.parse(last.time)) / 1000;
}

/**
 * Whether what the API server last said counts no more: a pool's block may be another node's by now. A clock that can't be right (the
 * answer would be of a time to come, or this boot would have begun before the last one ended) is a doubt, and a doubt counts as expired.
 */
export function hasExpired(last: LastAnswer, here: Here, { source }: Wanted): boolean {
  const holdsFor = source.holdsFor?.(last.value);
  if (holdsFor === undefined) return false;
  const age = ageOf(last, here);
  const isPlausible = last.bootID === here.bootID || age >= here.uptime;
  return !(isPlausible && age >= 0 && age <= holdsFor);
}

/** What to say of it. */
export function expiredError(last: LastAnswer, here: Here, { source }: Wanted, reason: string): CniError {
  const holdsFor = source.holdsFor?.(last.value) ?? 0;
  const age = ageOf(last, here);
  const since = age >= 0 ? `${inHours(age)} ago` : "at a time that this machine's clock has not come to";
  return new CniError(
    code.rangesExpired,
    `the blocks of ${source.label} hold no longer: the API server was last heard of them ${since}, and they hold for ${inHours(holdsFor)}`,
    `${reason}; by now they may be another node's. Pods get addresses again once this node reaches the API server: kube-node doctor`,
  );
}

function inHours(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
