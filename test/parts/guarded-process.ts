import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";

/** A program that can't outlive this process. `exited` resolves once it is gone, however that came. */
export type GuardedProcess = {
  exited: Promise<void>;
  hasExited(): boolean;
  lastWords(): string;
  kill(): Promise<void>;
};

// The shell holds the other end of a pipe of ours. The pipe ends with this process, even by SIGKILL, and then so does the program.
const guard = `
exec 3<&0
"$@" 3<&- </dev/null &
program=$!
( cat <&3 >/dev/null; kill -KILL "$program" 2>/dev/null ) &
watcher=$!
wait "$program"
kill "$watcher" 2>/dev/null
`;

/** Starts a program with its output going to `logFile`. `kill` is SIGKILL: nothing is given time to tidy up. */
export function startGuarded(command: string, args: string[], logFile: string): GuardedProcess {
  const log = openSync(logFile, "a");
  const child: ChildProcess = spawn("/bin/sh", ["-c", guard, "guard", command, ...args], {
    stdio: ["pipe", log, log],
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
  });
  closeSync(log);
  child.stdin?.on("error", () => {});
  const exited = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
  let gone = false;
  void exited.then(() => {
    gone = true;
    child.stdin?.destroy();
  });
  return {
    exited,
    hasExited: () => gone,
    lastWords: () => readFileSync(logFile, "utf8").split("\n").slice(-15).join("\n"),
    kill: () => {
      child.stdin?.destroy();
      return exited;
    },
  };
}
