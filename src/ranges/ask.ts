import { setTimeout as pause } from "node:timers/promises";
import { CniError, code } from "../cni/error.ts";
import { uptime } from "../host/machine.ts";
import { oneAtATime } from "../host/one-at-a-time.ts";
import { type Connection, readConnection } from "../kube/connection.ts";
import {
  fileName,
  type LastAnswer,
  readLastAnswer,
  readLastFailure,
  writeLastAnswer,
  writeLastFailure,
} from "./last-answer.ts";
import { askOwnNode, type NodeAnswer } from "./own-node.ts";
import type { NodeValue } from "./source.ts";
import type { Here, Wanted } from "./wanted.ts";

/** What became of asking. `code` is that of an error on our side (a broken kubeconfig), not of the server's. */
export type Asked =
  | { kind: "answer"; value: NodeValue; node: string }
  | { kind: "absent"; reason: string }
  | { kind: "outage"; reason: string; code?: number };

/** Who has waited in vain for another call that asks (it may hang) has still this share of the long patience to ask itself. */
const shareOfTheLate = 0.25;

/** A Node is 1.5 MB at most, a page of 250 Nodes mostly under 10. */
const maxBytes = 32 << 20;

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
  const shared = () => readShared(wanted, here);
  return await oneAtATime(wanted.stateFolder, name, patience, shared, askNow);
}

function readShared({ stateFolder, source }: Wanted, here: Here): Asked | undefined {
  // Of a time to come is what a machine has that was set back (a snapshot of it).
  const isShared = ({ bootID, at }: { bootID: string; at: number }) =>
    bootID === here.bootID && at > here.uptime && at <= uptime();
  const answer = readLastAnswer(stateFolder, source.label, here.machineIDs);
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
    });
  } catch (error) {
    log.warn("the API server's answer could not be kept", { error: (error as Error).message });
  }
}

/** Less time than this, in milliseconds, isn't worth a request: its failure would say nothing. */
const shortestAttempt = 300;

type Refusal = { kind: "outage"; reason: string; code: number };

/** Once; where nothing else is known, again until the deadline, unless asking again can't help. */
async function askUntil(
  wanted: Wanted,
  here: Here,
  last: LastAnswer | undefined,
  deadline: number,
  again: boolean,
): Promise<NodeAnswer | Refusal> {
  for (let wait = 200; ; wait *= 2) {
    const answer = await askOnce(wanted, here, last, deadline);
    if (!again || answer.kind !== "outage" || "code" in answer || isFinal(answer.status)) return answer;
    const delay = Math.max(wait, answer.retryAfterMs ?? 0);
    if (Date.now() + delay + shortestAttempt >= deadline) return answer;
    wanted.log.debug("API server not available, asking again", { reason: answer.reason, delay });
    await pause(delay);
  }
}

function isFinal(status: number | undefined): boolean {
  return status === 401 || status === 403;
}

async function askOnce(
  wanted: Wanted,
  here: Here,
  last: LastAnswer | undefined,
  deadline: number,
): Promise<NodeAnswer | Refusal> {
  const { env, kubeconfig, nodeName } = wanted;
  const given = nodeName ?? env["NODE_NAME"];
  const connection = await connect({ env, deadline, ...(kubeconfig && { kubeconfig }) });
  if ("kind" in connection) return connection;
  const hints = {
    machineIDs: here.machineIDs,
    ...(given && { given }),
    ...(last && { kept: last.node.name }),
  };
  return await askOwnNode(connection, hints, { deadline, maxBytes });
}

/** A kubeconfig that is missing or broken is an outage too: pods that could start yesterday start today. */
async function connect(choice: Parameters<typeof readConnection>[0]): Promise<Connection | Refusal> {
  try {
    return await readConnection(choice);
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    return {
      kind: "outage",
      code: error.code,
      reason: error.details ? `${error.message}: ${error.details}` : error.message,
    };
  }
}
