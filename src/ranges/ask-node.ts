import { setTimeout as pause } from "node:timers/promises";
import { CniError } from "../cni/error.ts";
import { type Connection, readConnection } from "../kube/connection.ts";
import type { LastAnswer } from "./last-answer.ts";
import { askOwnNode, type NodeAnswer } from "./own-node.ts";
import type { Here, Wanted } from "./wanted.ts";

/** A Node is 1.5 MB at most, a page of 250 Nodes mostly under 10. */
const maxBytes = 32 << 20;

/** Less time than this, in milliseconds, isn't worth a request: its failure would say nothing. */
const shortestAttempt = 300;

export type Refusal = { kind: "outage"; reason: string; code: number };

/** Once; where nothing else is known, again until the deadline, unless asking again can't help. */
export async function askUntil(
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
