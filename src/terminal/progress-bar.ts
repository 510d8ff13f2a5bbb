/** `[######......]  40%  2000/5000  410/s  7 s left`, as wide as it may be; `elapsed` in milliseconds. */
export function formatBar(done: number, all: number, elapsed: number, width: number): string {
  const share = all === 0 ? 1 : done / all;
  const rate = elapsed > 0 ? (done * 1000) / elapsed : 0;
  const left = rate > 0 ? `  ${Math.ceil((all - done) / rate)} s left` : "";
  const words = `${String(Math.floor(share * 100)).padStart(4)}%  ${done}/${all}  ${Math.round(rate)}/s${left}`;
  const room = Math.min(40, width - words.length - 3);
  if (room < 5) return words.trimStart().slice(0, Math.max(0, width - 1));
  const full = Math.round(share * room);
  return `[${"#".repeat(full)}${".".repeat(room - full)}]${words}`;
}
