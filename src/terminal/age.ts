const units = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
] as const;

/** Seconds as kubectl shows an age: the two largest units at most, the smaller one only while it says something (`45s`, `3m20s`, `5h`, `12d`). */
export function formatAge(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const index = units.findIndex(([, size]) => whole >= size);
  const [unit, size] = units[index] ?? ["s", 1];
  const count = Math.floor(whole / size);
  const [smaller, part] = units[index + 1] ?? ["s", 1];
  const rest = Math.floor((whole % size) / part);
  return index >= 0 && count < 10 && rest > 0 ? `${count}${unit}${rest}${smaller}` : `${count}${unit}`;
}
