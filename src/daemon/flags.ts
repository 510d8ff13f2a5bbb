import { parseDuration } from "../text/duration.ts";
import { UsageError } from "./usage-error.ts";

/** Where to listen. */
export type Address = { host: string; port: number };

/** Log levels, from the most talkative. */
export const logLevels = ["trace", "debug", "info", "warn", "error"] as const;

export function readAddress(flag: string, text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65535)
    throw new UsageError(`${flag} ${text}: expected HOST:PORT, as 127.0.0.1:9465, [::1]:9465 or :9465`);
  return { host: match[1] ?? (match[2] || "::"), port };
}

/** Milliseconds. */
export function readTime(flag: string, text: string, least: number): number {
  const time = parseDuration(text);
  if (time === undefined || time < least)
    throw new UsageError(
      `${flag} ${text}: expected a time such as 30s, 5m or 1h30m${least > 0 ? `, ${least / 1000}s or more` : ""}`,
    );
  return time;
}

export function readPath(flag: string, text: string): string {
  if (!text.startsWith("/") || text.includes("\0") || text.split("/").includes(".."))
    throw new UsageError(`${flag} ${JSON.stringify(text)}: expected an absolute path without ".."`);
  return text.length > 1 ? text.replace(/\/+$/, "") || "/" : text;
}

export function readLevel(text: string): (typeof logLevels)[number] {
  const level = logLevels.find((name) => name === text.toLowerCase());
  if (!level) throw new UsageError(`--log-level ${text}: expected one of ${logLevels.join(", ")}`);
  return level;
}
