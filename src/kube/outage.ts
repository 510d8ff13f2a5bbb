import type { Connection } from "./connection.ts";

/** Nothing is known of the object. `reason` is one sentence for people; `status` that of HTTP, where there was an answer. */
export type Outage = { kind: "outage"; reason: string; status?: number; retryAfterMs?: number };

/** `what` follows upon "the API server https://…". */
export function outage(
  connection: Connection,
  what: string,
  extras: { status?: number; retryAfterMs?: number } = {},
): Outage {
  const proxy =
    connection.proxy === undefined ? "" : ` (through the proxy ${new URL(connection.proxy).host})`;
  return { kind: "outage", reason: `the API server ${connection.server}${proxy} ${what}`, ...extras };
}
