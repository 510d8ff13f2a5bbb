import type { Command } from "commander";

/** kubectl takes --force=true and --force=false for --force and nothing; of flags with a value each word stays. */
export function spellFlags(program: Command, words: string[]): string[] {
  const all = [program, ...program.commands].flatMap(({ options }) => options);
  const switches = all.filter((option) => option.isBoolean()).map(({ long }) => long);
  return words.flatMap((word) => {
    const [, flag, value] = /^(--[\w-]+)=(true|false)$/.exec(word) ?? [];
    if (flag === undefined || !switches.includes(flag)) return [word];
    return value === "true" ? [flag] : [];
  });
}
