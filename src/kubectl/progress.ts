import { formatBar } from "../terminal/progress-bar.ts";
import type { Shell } from "./shell.ts";

const everyOnTerminal = 100;
const everyElsewhere = 5000;

/** Shows how far long work is, on stderr: a bar on a terminal, else a line every few seconds. Call it after each step. */
export function showProgress(shell: Shell, what: string, all: number): (done: number) => void {
  const start = Date.now();
  const isTerminal = process.stderr.isTTY === true;
  let next = start + (isTerminal ? 0 : everyElsewhere);
  return (done) => {
    const now = Date.now();
    if (now < next) return;
    next = now + (isTerminal ? everyOnTerminal : everyElsewhere);
    if (isTerminal) shell.progress(formatBar(done, all, now - start, process.stderr.columns || 80));
    else shell.say(`${what}: ${done} of ${all}, ${Math.round((done * 1000) / (now - start))}/s`);
  };
}
