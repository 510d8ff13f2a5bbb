import type { Terminal } from "./terminal.ts";

/** What a command takes: words in their order, then flags. A word is shown in capitals: `conf` as CONF. */
export type Input =
  | { kind: "word" | "optional word" | "words" | "any words"; says: string }
  | { kind: "text" | "list"; placeholder: string; says: string }
  | { kind: "switch"; says: string }
  | { kind: "choice"; choices: readonly string[]; says: string; short?: string };

type Value<I extends Input> = I extends { kind: "word" }
  ? string
  : I extends { kind: "words" | "any words" | "list" }
    ? string[]
    : I extends { kind: "switch" }
      ? boolean
      : I extends { kind: "choice"; choices: readonly (infer Choice)[] }
        ? Choice
        : string | undefined;

type Given<Inputs> = { [Name in keyof Inputs]: Inputs[Name] extends Input ? Value<Inputs[Name]> : never };

/** A command as data; `run` gives the exit code. An input `sizeLimit` is the flag `--size-limit`. */
export type Command<Inputs extends Record<string, Input> = Record<string, Input>> = {
  name: string;
  /** A line for the list of commands. */
  summary: string;
  /** What else is to be said in its help. */
  details?: string;
  inputs: Inputs;
  /** Lines to type, each with what it is for. */
  examples: readonly (readonly [line: string, what: string])[];
  /** When the exit code is 1, beside errors. */
  fails?: string;
  run(given: Given<Inputs>, terminal: Terminal): Promise<number>;
};

/** Lets `run` know the types of what it is given. */
export function defineCommand<const Inputs extends Record<string, Input>>(command: Command<Inputs>): Command {
  return command as unknown as Command;
}

/** One word, `<NAME>`. */
export function word(says: string) {
  return { kind: "word", says } as const;
}

/** One word or none, `[NAME]`. */
export function optionalWord(says: string) {
  return { kind: "optional word", says } as const;
}

/** One word at least, `<NAME...>`. */
export function words(says: string) {
  return { kind: "words", says } as const;
}

/** Any number of words, `[NAME...]`; an empty list where there is none. */
export function anyWords(says: string) {
  return { kind: "any words", says } as const;
}

/** `--name PLACEHOLDER`; undefined where it isn't given. */
export function text(placeholder: string, says: string) {
  return { kind: "text", placeholder, says } as const;
}

/** `--name PLACEHOLDER,…`, which may be given again; an empty list where it isn't given. */
export function list(placeholder: string, says: string) {
  return { kind: "list", placeholder, says } as const;
}

/** `--name`, true where it is given. */
export function toggle(says: string) {
  return { kind: "switch", says } as const;
}

/** `--name ONE`, of a few; the first where it isn't given. */
export function choice<const Choices extends readonly string[]>(
  choices: Choices,
  says: string,
  short?: string,
) {
  return { kind: "choice", choices, says, ...(short !== undefined && { short }) } as const;
}

/** `-o`, `--output`: a table for people, or JSON whose shape is documented and stays. */
export const output = choice(["table", "json"], "how to show it", "o");
