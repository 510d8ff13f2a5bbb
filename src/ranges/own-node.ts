import { CniError, code } from "../cni/error.ts";
import { hostName } from "../host/machine.ts";
import type { Connection } from "../kube/connection.ts";
import { nodeNameOf } from "../kube/identity.ts";
import { getNode, listNodesByMachineID, type NodeFacts } from "../kube/node.ts";
import type { Limits } from "../kube/request.ts";

/** What may tell which Node this machine is. `given` comes from the configuration or $NODE_NAME, `kept` from an earlier answer. */
export type OwnNodeHints = { given?: string; kept?: string; machineIDs: string[] };

export type NodeAnswer =
  | { kind: "node"; node: NodeFacts; warning?: string }
  | { kind: "absent"; message: string }
  | { kind: "outage"; reason: string; status?: number; retryAfterMs?: number };

/**
 * Asks for the own Node: by the name that was given; the name that was found before; the name in the credentials; the
 * host's name, where that Node has this machine's id; and only then by reading all Nodes for the machine's id.
 */
export async function askOwnNode(
  connection: Connection,
  hints: OwnNodeHints,
  limits: Limits,
): Promise<NodeAnswer> {
  const { given, kept, machineIDs } = hints;
  if (given !== undefined) return warnOfOther(await getNode(connection, given, limits), machineIDs);
  if (kept !== undefined) {
    const answer = await getNode(connection, kept, limits);
    if (answer.kind === "outage" || (answer.kind === "node" && isThisMachine(answer.node, machineIDs)))
      return answer;
  }
  const named = await nodeNameOf(connection);
  if (named !== undefined)
    return refuseOther(await getNode(connection, named, limits), machineIDs, connection.origin);
  return (
    (await askByHostName(connection, machineIDs, limits)) ?? askByMachineID(connection, machineIDs, limits)
  );
}

/** A Node without a machine's id (made by hand, no kubelet yet) may be this machine. */
function isThisMachine(node: NodeFacts, machineIDs: string[]): boolean {
  return node.machineID === "" || machineIDs.length === 0 || machineIDs.includes(node.machineID);
}

function warnOfOther(answer: NodeAnswer, machineIDs: string[]): NodeAnswer {
  if (answer.kind !== "node" || isThisMachine(answer.node, machineIDs)) return answer;
  return { ...answer, warning: `Node ${answer.node.name} has another machine-id than this machine` };
}

/** A disk that was copied to another machine carries the first one's credentials. */
function refuseOther(answer: NodeAnswer, machineIDs: string[], origin: string): NodeAnswer {
  if (answer.kind !== "node" || isThisMachine(answer.node, machineIDs)) return answer;
  const message = `the credentials name Node ${answer.node.name}, which has another machine-id than this machine`;
  const hint = `${origin}: give this machine credentials of its own, or set ipam.nodeName or $NODE_NAME`;
  throw new CniError(code.ownNode, message, hint);
}

async function askByHostName(connection: Connection, machineIDs: string[], limits: Limits) {
  const name = hostName().toLowerCase();
  const answer = name === "" ? undefined : await getNode(connection, name, limits);
  if (answer?.kind === "node") return machineIDs.includes(answer.node.machineID) ? answer : undefined;
  return answer?.kind === "outage" && answer.status !== 403 ? answer : undefined;
}

async function askByMachineID(
  connection: Connection,
  machineIDs: string[],
  limits: Limits,
): Promise<NodeAnswer> {
  if (machineIDs.length === 0) {
    const hint = "set ipam.nodeName or $NODE_NAME, or give the machine an id (systemd-machine-id-setup)";
    throw new CniError(
      code.ownNode,
      "which Node this machine is can't be told: there is no /etc/machine-id",
      hint,
    );
  }
  const answer = await listNodesByMachineID(connection, machineIDs, limits);
  if (answer.kind === "outage") return answer;
  const [node, twin] = answer.nodes;
  if (node && twin) {
    const message = `Nodes ${answer.nodes.map(({ name }) => name).join(" and ")} have this machine's machine-id`;
    throw new CniError(
      code.ownNode,
      message,
      "give each machine an id of its own, or set ipam.nodeName or $NODE_NAME",
    );
  }
  if (node) return { kind: "node", node };
  const hint =
    "compare status.nodeInfo.machineID of the Nodes with /etc/machine-id, or set ipam.nodeName or $NODE_NAME";
  throw new CniError(code.ownNode, "no Node has this machine's machine-id", hint);
}
