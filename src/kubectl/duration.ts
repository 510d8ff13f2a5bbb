import { parseDuration } from "../text/duration.ts";
import { UsageError } from "./usage-error.ts";

/** Milliseconds of `5s`, `2m`, `1h30m`; a number without a unit is seconds, as in kubectl. */
export function readDuration(flag: string, text: string): number {
  const duration = parseDuration(text);
  if (duration === undefined)
    throw new UsageError(`${flag} ${text}: expected a time such as 5s, 2m or 1h30m`);
  return duration;
}
