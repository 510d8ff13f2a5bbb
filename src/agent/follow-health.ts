import type { Health } from "../daemon/part.ts";
import { longestSilence } from "../ranges/agent-file.ts";

/** Seconds after which one that was neither heard nor complained of has come to a stand: pauses and patience are far less. */
export const longestTry = 300;

/** When the API server was heard (-Infinity: never), when it was last found silent, and what else keeps the Node from the plugin ("": nothing). */
type Following = { heardAt: number; triedAt: number; fault: string };

/** How it is with following the own Node at a moment; all times are seconds of uptime. */
export function healthAt(now: number, { heardAt, triedAt, fault }: Following): Health {
  if (now - Math.max(heardAt, triedAt) > longestTry)
    return { live: false, ready: false, words: "it has come to a stand, and has to be started anew" };
  if (isSilent(now, heardAt)) {
    const since = Number.isFinite(heardAt) ? `for ${Math.round(now - heardAt)} s` : "yet";
    const words = `the API server was not heard ${since}; the plugin asks itself`;
    return { live: true, ready: false, words };
  }
  if (fault !== "") return { live: true, ready: false, words: `${fault}; the plugin asks itself` };
  return { live: true, ready: true, words: "the plugin is told of the Node" };
}

export function isSilent(now: number, heardAt: number): boolean {
  return now - heardAt > longestSilence;
}
