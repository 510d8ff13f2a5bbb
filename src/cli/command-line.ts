import { Argument, Command as CommanderCommand, CommanderError, Option } from "commander";
import { addToList } from "../terminal/flag-list.ts";
import { formatHelpEnd, helpWidth } from "../terminal/help.ts";
import { fold } from "../text/fold.ts";
import type { Command, Input } from "./command.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/** Finds the command that the words name, and runs it with the rest of them. Mistakes in the words are UsageErrors. */
export async function runCommandLine(
  program: string,
  commands: readonly Command[],
  words: string[],
  terminal: Terminal,
): Promise<number> {
  let exitCode = 0;
  const line = new CommanderCommand(program);
  settle(line, terminal);
  for (const command of commands) {
    const built = build(command).action(async (...values) => {
      exitCode = await command.run(read(command, values), terminal);
    });
    line.addCommand(settle(built, terminal));
  }
  try {
    await line.parseAsync(words, { from: "user" });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    throw new UsageError(`${sentenceOf(error)}; ${remedy(program, commands, words[0])}`);
  }
}

/** Nothing but us ends the process or writes to it. */
function settle(line: CommanderCommand, terminal: Terminal): CommanderCommand {
  return line
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.say(text.trimEnd()), writeErr: () => {} })
    .configureHelp({ helpWidth: helpWidth() });
}

function build({ name, summary, details, inputs, examples, fails }: Command): CommanderCommand {
  const sentence = `${summary[0]?.toUpperCase()}${summary.slice(1)}.`;
  const command = new CommanderCommand(name)
    .summary(summary)
    .description(details === undefined ? sentence : `${sentence}\n${details}`)
    .helpOption("-h, --help", "this text");
  for (const [key, input] of Object.entries(inputs)) {
    const argument = toArgument(key, input);
    if (argument) command.addArgument(argument);
    else command.addOption(toOption(key, input));
  }
  const when = fails === undefined ? "something went wrong" : `${fails}, or something went wrong`;
  const exits = ["0  good", `1  ${when}`, "2  a mistake in the words of the command"];
  return command.addHelpText("after", formatHelpEnd(examples, exits));
}

/** How a word stands in the line; flags have no such form. */
const forms: Partial<Record<Input["kind"], (name: string) => string>> = {
  word: (name) => `<${name}>`,
  "optional word": (name) => `[${name}]`,
  words: (name) => `<${name}...>`,
  "any words": (name) => `[${name}...]`,
};

function toArgument(key: string, { kind, says }: Input): Argument | undefined {
  const form = forms[kind];
  return form && new Argument(form(key.toUpperCase()), says);
}

function toOption(key: string, input: Input): Option {
  const flag = `--${key.replace(/[A-Z]/g, (capital) => `-${fold(capital)}`)}`;
  if (input.kind === "text") return new Option(`${flag} <${input.placeholder}>`, input.says);
  if (input.kind === "list")
    return new Option(`${flag} <${input.placeholder},…>`, input.says)
      .default([], "none")
      .argParser(addToList);
  if (input.kind !== "choice") return new Option(flag, input.says);
  const { choices, short, says } = input;
  const names = short === undefined ? flag : `-${short}, ${flag}`;
  return new Option(`${names} <${key.toUpperCase()}>`, says).choices(choices).default(choices[0]);
}

/** Commander gives words one by one, then an object of the flags, then itself. */
function read({ inputs }: Command, values: unknown[]): Parameters<Command["run"]>[0] {
  const given = values.slice(0, -2);
  const flags = values.at(-2) as Record<string, unknown>;
  const entries = Object.entries(inputs).map(([key, input]) => {
    if (toArgument(key, input)) return [key, given.shift()];
    return [key, input.kind === "switch" ? flags[key] === true : flags[key]];
  });
  return Object.fromEntries(entries);
}

function sentenceOf({ message }: CommanderError): string {
  return message
    .replace(/^error: /, "")
    .replace(/\.$/, "")
    .replaceAll("\n", " ");
}

function remedy(program: string, commands: readonly Command[], word: string | undefined): string {
  const command = commands.find(({ name }) => name === word);
  return command ? `${program} ${command.name} --help says more` : `${program} -h lists what there is`;
}

/** The commands with their summaries, a line each. */
export function listCommands(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return commands.map(({ name, summary }) => `  ${name.padEnd(width)}   ${summary}`).join("\n");
}
