type Version = { numbers: number[]; stage: string };

/** Whether `one` is a later version than `other`. Builds between releases (`-g0123…`, `-dirty`) count as their release. */
export function isLater(one: string, other: string): boolean {
  const [a, b] = [parse(one), parse(other)];
  if (!a || !b) return false;
  for (const [index, number] of a.numbers.entries()) {
    if (number !== b.numbers[index]) return number > (b.numbers[index] ?? 0);
  }
  if (a.stage === "" || b.stage === "") return a.stage === "" && b.stage !== "";
  return a.stage.localeCompare(b.stage, "en", { numeric: true }) > 0;
}

/** `1.2.3`, `1.2.3-rc.1`, `1.2.3-g0123456789ab-dirty`; undefined for anything else. */
function parse(text: string): Version | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)(?:-(.+))?$/.exec(text);
  if (!match) return undefined;
  const stage = (match[4] ?? "").replace(/(^|-)(g[0-9a-f]+|dirty)(?=-|$)/g, "");
  return { numbers: match.slice(1, 4).map(Number), stage };
}
