import { once } from "node:events";

/** Until SIGTERM or SIGINT. */
export async function stay(): Promise<void> {
  const awake = setInterval(() => {}, 60 * 60_000);
  await Promise.race(["SIGTERM", "SIGINT"].map((signal) => once(process, signal)));
  clearInterval(awake);
}
