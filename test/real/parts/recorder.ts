import { mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Subject } from "./subjects.ts";
import type { Worker } from "./worker.ts";

type Json = Record<string, unknown>;

/** What a delegate got, call after call. */
export type Recorder = {
  /** CNI_COMMAND of each call so far. */
  calls(): string[];
  /** Standard input of the last call with a verb, and of all. */
  stdin(verb: string): Json;
  inputs(verb: string): Json[];
  /** Environment of the last call with a verb. */
  env(verb: string): Record<string, string>;
};

/**
 * Puts a delegate into the worker's CNI_PATH that keeps what it gets and then is the real host-local. One that was
 * started and got nothing to read wasn't called.
 */
export function putRecorder(
  worker: Worker,
  { hostLocal }: Pick<Subject, "hostLocal">,
  name: string,
): Recorder {
  const folder = mkdtempSync(join(worker.folder, "recorded-"));
  const script = `#!/bin/sh
input=$(cat)
[ -n "$input" ] || exit 1
cd '${folder}'
echo "$CNI_COMMAND" >>calls
number=$(($(wc -l <calls) - 1))
env >$number.env
printf %s "$input" >$number.stdin
exec '${hostLocal.path}' <$number.stdin
`;
  worker.putProgram(name, script);
  const read = (file: string) => readFileSync(join(folder, file), { encoding: "utf8", flag: "a+" });
  const calls = () => read("calls").split("\n").filter(Boolean);
  const numbers = (verb: string) => calls().flatMap((call, number) => (call === verb ? [number] : []));
  const inputs = (verb: string) => numbers(verb).map((number) => JSON.parse(read(`${number}.stdin`)) as Json);
  return {
    calls,
    inputs,
    stdin: (verb) => inputs(verb).at(-1) ?? {},
    env: (verb) =>
      Object.fromEntries(
        read(`${numbers(verb).at(-1)}.env`)
          .split("\n")
          .map(splitAtEquals),
      ),
  };
}

function splitAtEquals(line: string): [string, string] {
  const equals = line.indexOf("=");
  return [line.slice(0, equals), line.slice(equals + 1)];
}
