import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";

/**
 * Where the plugin notes its calls, one line each: `ADD ok 12.3`, a verb, `ok` or a CNI error's code, milliseconds. Made by the
 * agent: where there is none, nobody reads, and nothing is noted.
 */
export const callNotes = "/run/kube-node/calls";

/** Bytes at which nobody has read for long. */
const longest = 1 << 20;

export type CallNote = { verb: string; result: string; milliseconds: number };

/** One short append to a file in memory, after the runtime has its answer. Never throws. */
export function noteCall({ verb, result, milliseconds }: CallNote, path = callNotes): void {
  try {
    const fd = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW);
    try {
      if (fstatSync(fd).size < longest) writeSync(fd, `${verb} ${result} ${milliseconds.toFixed(1)}\n`);
    } finally {
      closeSync(fd);
    }
  } catch {
    // No agent, or no room: a call goes on without it.
  }
}

/** Lines that are none are passed over. */
export function parseCallNotes(text: string): CallNote[] {
  return text.split("\n").flatMap((line) => {
    const [, verb, result, milliseconds] = /^([A-Z]{2,8}) (ok|\d{1,4}) (\d{1,9}(?:\.\d)?)$/.exec(line) ?? [];
    if (verb === undefined || result === undefined) return [];
    return [{ verb, result, milliseconds: Number(milliseconds) }];
  });
}
