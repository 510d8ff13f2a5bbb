import type { Command } from "commander";
import { formatHelpEnd } from "../terminal/help.ts";

/** Examples (words behind `kubectl kube-node`) and exit codes, at the end of a command's help. */
export function addHelp(command: Command, examples: [string, string][], exits: string[]): Command {
  const lines = examples.map(([words, what]) => [`kubectl kube-node ${words}`, what] as const);
  return command.addHelpText("after", formatHelpEnd(lines, exits));
}

/** What every command's codes begin and end with. */
export const usualExits = [
  "0  good",
  "1  something went wrong; it is said on stderr",
  "2  a mistake in the words of the command",
];
