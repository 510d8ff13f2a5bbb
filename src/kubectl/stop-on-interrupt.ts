import type { Shell } from "./shell.ts";

/** The first Ctrl-C lets what is under way come to its end; a second one ends the program. `end` takes it back. */
export function stopOnInterrupt(shell: Shell): { isStopped: () => boolean; end: () => void } {
  let stopped = false;
  const stop = () => {
    if (stopped) process.exit(130);
    stopped = true;
    shell.say("stopping; what is under way is finished first");
  };
  process.on("SIGINT", stop);
  return { isStopped: () => stopped, end: () => process.off("SIGINT", stop) };
}
