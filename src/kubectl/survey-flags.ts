import type { Command } from "commander";
import type { SurveyOptions } from "../survey/survey.ts";
import { addToList } from "../terminal/flag-list.ts";
import { keyOfWord } from "./pool-words.ts";
import type { Shell } from "./shell.ts";

/** Flags of commands that look at many nodes. */
export type SurveyFlags = { selector?: string; key?: string[] };

export function addSurveyFlags(command: Command): Command {
  return addKeyFlag(
    command.option("-l, --selector <selector>", "only nodes with these labels, as kubectl has it"),
  );
}

export function addKeyFlag(command: Command): Command {
  return command.option(
    "--key <key,…>",
    "only ranges of these annotations or pools (ippool/NAME, cidrpool/NAME), or of spec.podCIDRs; may be given again (default: every one that holds ranges)",
    (text: string, before?: string[]) => addToList(text, before).map(keyOfWord),
  );
}

/** `selector` and `key`, with progress on stderr. */
export function surveyOptionsOf({ selector, key }: SurveyFlags, shell: Shell): SurveyOptions {
  return {
    ...(selector !== undefined && { selector }),
    ...(key && { keys: key }),
    onProgress: (what, done, remaining) => shell.progress(`reading ${what}: ${done} of ${done + remaining}`),
  };
}
