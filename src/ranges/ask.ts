import { setTimeout as pause } from "node:timers/promises";
import { CniError, code } from "../cni/error.ts";
import { isGone, uptime } from "../host/machine.ts";
import { oneAtATime } from "../host/one-at-a-time.ts";
import type { Refusal } from "./ask-node.ts";
import {
  fileName,
  type LastAnswer,
  readLastAnswer,
  readLastFailure,
  writeLastAnswer,
  writeLastFailure,
} from "./last-answer.ts";
import type { NodeAnswer } from "./own-node.ts";
import type { NodeValue } from "./source.ts";
import type { Here, Wanted } from "./wanted.ts";

/** What became of asking. `code` is that of an error on our side (a broken kubeconfig), not of the server's. */
export type Asked =
  | { kind: "answer"; value: NodeValue; node: string }
  | { kind: "absent"; reason: string }
  | { kind: "outage"; reason: string; code?: number };

/** Who has waited in vain for another call that asks (it may hang) has still this share of the long patience to ask itself. */
const shareOfTheLate = 0.25;

/**
 * Where the one who asked last is still at work, pods start by the dozen: requests then begin so far apart, in milliseconds, and
 * whoever comes meanwhile shares the next. A request costs half of what a call does.
 */
const usuallyApart = 100;

/**
 * Asks the API server, or shares the answer of another process that began to ask after this one started: that one is
 * as fresh. The answer is kept for outages to come.
 */
export async function ask(
  wanted: Wanted,
  here: Here,
  last: LastAnswer | undefined,
  canWait: boolean,
): Promise<Asked> {
  const patience = 1000 * (canWait ? wanted.patience.short : wanted.patience.long);
  const deadline = Date.now() + patience;
  const late = 1000 * wanted.patience.long * shareOfTheLate;
  const askNow = () => askAndKeep(wanted, here, last, Math.max(deadline, Date.now() + late), !canWait);
  if (wanted.keepsNothing) return await askNow();
  const name = fileName("asking", wanted.source.label);
  let latest: LastAnswer | undefined;
  const shared = () => {
    latest = readLastAnswer(wanted.stateFolder, wanted.source.label, here.machineIDs);
    return findShared(wanted, here, latest);
  };
  return await oneAtATime(wanted.stateFolder, name, patience, shared, async () => {
    await letOthersJoin(latest, here, Math.min(usuallyApart, patience / 10));
    return await askNow();
  });
}

/** Where somebody asked less than `apart` milliseconds ago, and is still at work, until so many have gone by. */
async function letOthersJoin(latest: LastAnswer | undefined, { bootID }: Here, apart: number): Promise<void> {
  if (latest?.asker === undefined || latest.bootID !== bootID || isGone(latest.asker)) return;
  const since = 1000 * (uptime() - latest.at);
  if (since >= 0 && since < apart) await pause(apart - since);
}

function findShared(
  { stateFolder, source }: Wanted,
  here: Here,
  answer: LastAnswer | undefined,
): Asked | undefined {
  // Of a time to come is what a machine has that was set back (a snapshot of it).
  const isShared = ({ bootID, at }: { bootID: string; at: number }) =>
    bootID === here.bootID && at > here.uptime && at <= uptime();
  if (answer && isShared(answer)) return { kind: "answer", value: answer.value, node: answer.node.name };
  const failure = readLastFailure(stateFolder, source.label);
  return failure && isShared(failure) ? failure : undefined;
}

async function askAndKeep(
  wanted: Wanted,
  here: Here,
  last: LastAnswer | undefined,
  deadline: number,
  again: boolean,
): Promise<Asked> {
  const at = uptime();
  const { askUntil } = await import("./ask-node.ts");
  const answer = await askUntil(wanted, here, last, deadline, again);
  const asked = read(answer, wanted);
  if (!wanted.keepsNothing) keep(wanted, here, at, answer, asked);
  return asked;
}

function read(answer: NodeAnswer | Refusal, { source, log }: Wanted): Asked {
  if (answer.kind === "absent") return { kind: "absent", reason: answer.message };
  if (answer.kind === "outage") return answer;
  if (answer.warning && source.fence) {
    const hint = "two machines would give addresses of one node's blocks: name this machine's own Node";
    throw new CniError(code.ownNode, answer.warning, hint);
  }
  if (answer.warning) log.warn(answer.warning, {});
  return { kind: "answer", value: source.pick(answer.node), node: answer.node.name };
}

/** What can't be kept is no reason to fail: the address comes from host-local's store, not from here. */
function keep(
  { stateFolder, source, log }: Wanted,
  { bootID, machineIDs }: Here,
  at: number,
  answer: NodeAnswer | Refusal,
  asked: Asked,
): void {
  try {
    if (asked.kind !== "answer" || answer.kind !== "node") {
      writeLastFailure(stateFolder, source.label, {
        bootID,
        at,
        ...(asked as Exclude<Asked, { kind: "answer" }>),
      });
      return;
    }
    const node = { name: answer.node.name, uid: answer.node.uid };
    const time = new Date(Date.now() - (uptime() - at) * 1000).toISOString(); // When it was asked.
    writeLastAnswer(stateFolder, {
      version: 1,
      source: source.label,
      node,
      machineIDs,
      value: asked.value,
      bootID,
      at,
      time,
      asker: process.pid,
    });
  } catch (error) {
    log.warn("the API server's answer could not be kept", { error: (error as Error).message });
  }
}
