import { CniError } from "../cni/error.ts";
import type { JsonObject } from "../text/json.ts";
import { listLastAnswers } from "./last-answer.ts";
import { poolsOfLabel } from "./pool-source.ts";
import { annotation, annotationBody, podCIDRs, type Source } from "./source.ts";

/**
 * What the API server last said of a network, as keys of a delegate's `ipam`: for people who ask before any pod has come.
 * Undefined where it never said anything good on this machine.
 */
export function lastRanges(stateFolder: string, machineIDs: string[]): JsonObject | undefined {
  const answers = listLastAnswers(stateFolder, machineIDs);
  const [latest] = answers.sort((a, b) => (a.time < b.time ? 1 : -1));
  if (!latest) return undefined;
  for (const source of sourcesOf(latest.source)) {
    try {
      return source.parse(latest.value, latest.node.name);
    } catch (error) {
      if (!(error instanceof CniError)) throw error; // The annotation is malformed, or in the other of its two forms.
    }
  }
  return undefined;
}

/** Which plugin asked isn't kept: an annotation may be in either's form. */
function sourcesOf(label: string): Source[] {
  const pool = poolsOfLabel(label);
  if (pool) return [pool];
  const key = /^annotation (.*)$/s.exec(label)?.[1];
  return key === undefined ? [podCIDRs] : [annotation(key), annotationBody(key)];
}
