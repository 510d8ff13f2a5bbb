import type { Command } from "commander";

/** Examples (words behind `kubectl kube-node`) and exit codes, at the end of a command's help. */
export function addHelp(command: Command, examples: [string, string][], exits: string[]): Command {
  const shown = examples.map(([words, what]) => `  # ${what}\n  kubectl kube-node ${words}`);
  return command.addHelpText(
    "after",
    `\nExamples:\n${shown.join("\n\n")}\n\nExit codes:\n${exits.map((line) => `  ${line}`).join("\n")}`,
  );
}

/** What every command's codes begin and end with. */
export const usualExits = [
  "0  done",
  "1  something went wrong; it is said on stderr",
  "2  a mistake in the words of the command",
];
