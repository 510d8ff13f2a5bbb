import { expect } from "vitest";
import { checkFiles, type File } from "../../src/check/check-files.ts";
import type { NamedAnnotations } from "../../src/check/network-configuration.ts";

/**
 * Checks a text in which « stands before each place where something is to be wrong, and expects just these places to be
 * found, with these words.
 */
export function expectFound(
  marked: string,
  words: (RegExp | string)[],
  { name = "file", others = [], named }: { name?: string; others?: File[]; named?: NamedAnnotations } = {},
): void {
  const pieces = marked.split("«");
  const places = pieces.slice(1).map((_, index) => {
    const lines = pieces
      .slice(0, index + 1)
      .join("")
      .split("\n");
    return `${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
  });
  const text = pieces.join("");
  const found = checkFiles([...others, { name, text }], named).filter(({ file }) => file === name);
  const shown = found.map((one) => `${one.severity}: ${one.words}`);
  expect(
    found.map(({ line, column }) => `${line}:${column}`),
    shown.join("\n"),
  ).toEqual(places);
  for (const [index, one] of words.entries()) expect(shown[index]).toMatch(one);
  expect(shown).toHaveLength(words.length);
}
