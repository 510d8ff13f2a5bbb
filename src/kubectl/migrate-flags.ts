import type { Client } from "../kube/client.ts";
import type { OutputFormat } from "./output.ts";
import type { Shell } from "./shell.ts";

export type MigrateFlags = {
  /** "client": nothing is written. */
  dryRun: "none" | "client";
  toGroup?: true;
  back?: true;
  finish?: true;
  stopController?: true;
  namespace: string;
  yes?: true;
  output: OutputFormat;
};

/** `done`; `to do`, as a dry run says it; `waits` for a person or for a program; `later`, only when asked for; `failed`. */
export type StepState = "done" | "to do" | "waits" | "later" | "failed";

/** A step of a migration, which may be run again and then finds itself done. */
export type Step = { title: string; state: StepState; words: string[] };

export type Migration = { client: Client; shell: Shell; flags: MigrateFlags };

/** Does each, past failures; what went wrong is said with the name before it. */
export async function attempt<T>(
  all: readonly T[],
  nameOf: (one: T) => string,
  act: (one: T) => Promise<unknown>,
): Promise<string[]> {
  const faults: string[] = [];
  for (const one of all)
    await act(one).catch((error: Error) => faults.push(`${nameOf(one)}: ${error.message}`));
  return faults;
}

/** `1 NodeBlock`, `2 NodeBlocks`. */
export function count(all: number, word: string): string {
  return all === 1 ? `1 ${word}` : `${all} ${word}s`;
}
