import type { Command, Option } from "commander";
import { completeFlagValue, completeWord } from "./candidates.ts";
import type { Shell } from "./shell.ts";

/** What may stand in the place of the last word; `more` where it isn't finished then, so that no blank is to follow. */
export type Candidates = { words: string[]; more?: boolean; files?: boolean };

/** cobra's ShellCompDirective, as kubectl reads it behind the candidates: NoSpace 2, NoFileComp 4, nothing special 0. */
function directiveOf({ more, files }: Candidates): number {
  if (files) return 0;
  return more ? 6 : 4;
}

/** The answer to `__complete WORDS… BEGINNING`: a candidate a line, with its description behind a tab, and the directive. */
export async function complete(words: string[], program: Command, shell: Shell): Promise<string> {
  const found = await findCandidates(words, program, shell).catch((): Candidates => ({ words: [] }));
  return [...found.words, `:${directiveOf(found)}`].join("\n");
}

async function findCandidates(words: string[], program: Command, shell: Shell): Promise<Candidates> {
  const beginning = words.at(-1) ?? "";
  const { command, others, open } = walk(words.slice(0, -1), program);
  if (open) return keep(await completeFlagValue(open, command, shell), beginning);
  const [, flag, value] = /^(--[\w-]+)=(.*)$/.exec(beginning) ?? [];
  if (flag !== undefined && value !== undefined) {
    const option = optionsOf(command, program).find(({ long }) => long === flag);
    const found = option ? keep(await completeFlagValue(option, command, shell), value) : { words: [] };
    return { ...found, words: found.words.map((word) => `${flag}=${word}`) };
  }
  if (beginning.startsWith("-"))
    return keep({ words: optionsOf(command, program).map(describeFlag) }, beginning);
  if (command === program) {
    const names = others.length === 0 ? program.commands.map(describeCommand) : [];
    return keep({ words: names }, beginning);
  }
  return keep(await completeWord(command, others, beginning, shell), beginning);
}

/** The command that the words name, its own words, and a flag that still waits for its value. Flags are set on the way. */
function walk(words: string[], program: Command): { command: Command; others: string[]; open?: Option } {
  let command = program;
  const others: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    const [name, value] = word.startsWith("--") ? word.split(/=(.*)/s) : [word];
    const option = optionsOf(command, program).find(({ long, short }) => name === long || name === short);
    if (option) {
      const given = option.isBoolean() ? true : (value ?? words[++at]);
      if (given === undefined) return { command, others, open: option };
      program.setOptionValue(option.attributeName(), given);
    } else if (!word.startsWith("-")) {
      const next = command === program ? program.commands.find((one) => one.name() === word) : undefined;
      if (next) command = next;
      else others.push(word);
    }
  }
  return { command, others };
}

function optionsOf(command: Command, program: Command): Option[] {
  return [...(command === program ? [] : command.options), ...program.options];
}

function keep(found: Candidates, beginning: string): Candidates {
  return { ...found, words: found.words.filter((word) => word.startsWith(beginning)) };
}

function describeFlag({ long, short, description }: Option): string {
  return `${long ?? short}\t${description}`;
}

function describeCommand(command: Command): string {
  return `${command.name()}\t${command.description()}`;
}
