/** What a command's help ends with: lines to type, each with what it is for, and what its exit codes mean. */
export function formatHelpEnd(
  examples: readonly (readonly [line: string, what: string])[],
  exits: readonly string[],
): string {
  const shown = examples.map(([line, what]) => `  # ${what}\n  ${line}`).join("\n\n");
  return `\nExamples:\n${shown}\n\nExit codes:\n${exits.map((line) => `  ${line}`).join("\n")}`;
}

/** Columns of a help: those of the terminal, as long as lines are easy to read. */
export function helpWidth(): number {
  return Math.min(process.stdout.columns || 110, 110);
}
