import { Scalar } from "yaml";

/** Where a character of a text stands in the file that holds the text; both are counted from 0. */
export type ToFile = (position: number) => number;

/** Of a YAML string, whose quotes, escapes, folds and indentation its value has lost: where each character stands. */
export function scalarToFile(source: string, { type, range, value }: Scalar): ToFile {
  const [start = 0, end = start] = range ?? [];
  const text = typeof value === "string" ? value : "";
  if (type === Scalar.BLOCK_LITERAL || type === Scalar.BLOCK_FOLDED)
    return mapBlock(source, start, end, text);
  const quote = type === Scalar.QUOTE_DOUBLE ? '"' : type === Scalar.QUOTE_SINGLE ? "'" : "";
  const offsets = mapFlow(source.slice(0, end - quote.length), start + quote.length, quote);
  return (position) => offsets[Math.min(position, offsets.length - 1)] ?? start;
}

/** Each line's text stands in the value as it is, one after the other. */
function mapBlock(source: string, start: number, end: number, value: string): ToFile {
  const pieces: { value: number; source: number; length: number }[] = [];
  let at = 0;
  for (let line = source.indexOf("\n", start) + 1; line > 0 && line < end; ) {
    const stop = source.indexOf("\n", line);
    const text = source.slice(line, stop < 0 ? end : stop);
    const piece = text.trim();
    const found = piece === "" ? -1 : value.indexOf(piece, at);
    if (found >= 0) {
      pieces.push({ value: found, source: line + text.indexOf(piece), length: piece.length });
      at = found + piece.length;
    }
    line = stop < 0 ? end : stop + 1;
  }
  return (position) => {
    const piece = pieces.findLast((one) => one.value <= position);
    return piece ? piece.source + Math.min(position - piece.value, piece.length) : start;
  };
}

const fold = /[ \t]*\r?\n(?:[ \t]*\r?\n)*[ \t]*/y;
const escaped = /\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|\r?\n[ \t]*|[\s\S])/y;

/** Plain and quoted: the offset of each character, and of the end. */
function mapFlow(source: string, start: number, quote: string): number[] {
  const offsets: number[] = [];
  let at = start;
  const take = (length: number, characters: number) => {
    for (let i = 0; i < characters; i++) offsets.push(at);
    at += length;
  };
  while (at < source.length) {
    const folded = match(fold, source, at);
    const escapes = quote === '"' ? match(escaped, source, at) : undefined;
    if (folded !== undefined) take(folded.length, Math.max(1, folded.split("\n").length - 2));
    else if (escapes !== undefined) take(escapes.length, lengthOf(escapes));
    else if (quote === "'" && source.startsWith("''", at)) take(2, 1);
    else take(1, 1);
  }
  return [...offsets, at];
}

/** How many characters (of UTF-16) an escape stands for. */
function lengthOf(text: string): number {
  if (/^\\\r?\n/.test(text)) return 0;
  return text[1] === "U" && Number.parseInt(text.slice(2), 16) > 0xffff ? 2 : 1;
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}
