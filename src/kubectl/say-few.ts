import type { Shell } from "./shell.ts";

const most = 10;

/** Lines on stderr, of many only the first. */
export function sayFew(lines: string[], shell: Shell): void {
  for (const line of lines.slice(0, most)) shell.say(line);
  if (lines.length > most) shell.say(`… and ${lines.length - most} more`);
}

/** What could not be read, or should be known. */
export function warn(sentences: readonly string[], shell: Shell): void {
  sayFew(
    sentences.map((words) => `warning: ${words}`),
    shell,
  );
}
