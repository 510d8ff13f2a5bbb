import { Session } from "node:inspector/promises";
import { setTimeout as pause } from "node:timers/promises";
import { getHeapSnapshot } from "node:v8";
import type { Address } from "../daemon/flags.ts";
import type { Part } from "../daemon/part.ts";
import { type RouteAnswer, startServer } from "../daemon/server.ts";
import type { Log } from "../host/log.ts";

const profileMs = 10_000;

/** /debug/heap and /debug/cpu for Chromium's developer tools, at an address of this machine's own only: a heap holds the token. */
export async function serveSnapshots(address: Address, log: Log, signal: AbortSignal): Promise<Part> {
  const routes = new Map([
    ["/debug/heap", async () => answer(await takeHeapSnapshot())],
    ["/debug/cpu", async () => answer(await takeProfile())],
  ]);
  const part = await startServer({ addresses: [address], routes, log, signal }, []);
  return { ...part, name: "snapshots" };
}

function answer(body: string): RouteAnswer {
  return { status: 200, type: "application/json", body };
}

/** A .heapsnapshot. */
async function takeHeapSnapshot(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of getHeapSnapshot()) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString("utf8");
}

/** A .cpuprofile of ten seconds. */
async function takeProfile(): Promise<string> {
  const session = new Session();
  session.connect();
  try {
    await session.post("Profiler.enable");
    await session.post("Profiler.start");
    await pause(profileMs);
    const { profile } = await session.post("Profiler.stop");
    return JSON.stringify(profile);
  } finally {
    session.disconnect();
  }
}
