import { expect } from "vitest";
import type { PluginAnswer } from "../../parts/plugin.ts";

/** The error document of a failed call; no details are "". */
export type Failure = { cniVersion: string; code: number; msg: string; details: string };

/** The addresses of a result in CNI 0.3.0's shape or later. */
export function addressesIn(answer: PluginAnswer): string[] {
  expect(answer, wordsOf(answer)).toMatchObject({ exitCode: 0 });
  const { ips } = answer.json as { ips: { address: string }[] };
  return ips.map(({ address }) => address.replace(/\/\d+$/, ""));
}

/** A call that succeeded and said nothing on stdout. */
export function expectSilence(answer: PluginAnswer): PluginAnswer {
  expect(answer, wordsOf(answer)).toMatchObject({ exitCode: 0, stdout: "" });
  return answer;
}

/** A call that failed, with an error document alone on stdout. */
export function readFailure(answer: PluginAnswer): Failure {
  expect(answer.exitCode, wordsOf(answer)).toBeGreaterThan(0);
  const { cniVersion, code, msg, details = "" } = answer.json as Failure;
  expect(typeof cniVersion === "string" && code > 0 && msg.length > 0, wordsOf(answer)).toBe(true);
  return { cniVersion, code, msg, details };
}

/** All that a call said, for the failure of an expectation. */
export function wordsOf({ exitCode, signal, stdout, stderr }: PluginAnswer): string {
  return `exit ${exitCode ?? signal}\nstdout: ${stdout}\nstderr: ${stderr}`;
}
