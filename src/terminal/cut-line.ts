/** A colour of ours (paint.ts), which takes no place, or a character. */
const parts = /\u001b\[\d+m|./gsu;

/** A line of `width` characters at most; of a longer one the beginning, with its colours, and `…`. */
export function cutLine(line: string, width: number): string {
  const all = line.match(parts) ?? [];
  if (all.filter(isShown).length <= width) return line;
  let room = width - 1;
  const kept = all.map((part) => {
    if (!isShown(part)) return part;
    if (room-- > 0) return part;
    return room === -1 ? "…" : "";
  });
  return kept.join("");
}

function isShown(part: string): boolean {
  return !/^\u001b./.test(part);
}
