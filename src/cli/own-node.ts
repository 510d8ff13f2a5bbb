import type { Environment } from "../cni/environment.ts";
import { CniError, code } from "../cni/error.ts";
import { machineIDs } from "../host/machine.ts";
import { type Connection, readConnection } from "../kube/connection.ts";
import { getNode, type NodeFacts } from "../kube/node.ts";
import { get } from "../kube/request.ts";
import { askOwnNode, type NodeAnswer } from "../ranges/own-node.ts";

/** Whose credentials to use, and which Node this machine is where that is known. */
export type Access = { env: Environment; kubeconfig?: string | undefined; nodeName?: string | undefined };

const seconds = 15;

/** The Node of this machine, all of it, as JSON. */
export async function showOwnNode(access: Access): Promise<string> {
  const connection = await connect(access);
  const { name } = await ownNode(connection, access);
  const answer = await get(connection, `/api/v1/nodes/${name}`, limits());
  if (answer.kind === "object") return JSON.stringify(answer.body, null, 2);
  throw new CniError(code.tryAgainLater, answer.kind === "absent" ? answer.message : answer.reason);
}

/** The text of an annotation: of the Node `other`, of this machine's where none is named. */
export async function readAnnotation(
  key: string,
  other: string | undefined,
  access: Access,
): Promise<string> {
  const connection = await connect(access);
  const node =
    other === undefined
      ? await ownNode(connection, access)
      : expectNode(await getNode(connection, other, limits()));
  if (Object.hasOwn(node.annotations, key)) return node.annotations[key] as string;
  throw new CniError(
    code.nodeRanges,
    `Node ${node.name} has no annotation ${key}`,
    `it has ${Object.keys(node.annotations).join(", ") || "none"}`,
  );
}

async function connect({ env, kubeconfig }: Access): Promise<Connection> {
  return await readConnection({ env, deadline: limits().deadline, kubeconfig });
}

async function ownNode(connection: Connection, { env, nodeName }: Access): Promise<NodeFacts> {
  const given = nodeName ?? env["NODE_NAME"];
  const hints = { machineIDs: machineIDs(), ...(given && { given }) };
  return expectNode(await askOwnNode(connection, hints, limits()));
}

function expectNode(answer: NodeAnswer): NodeFacts {
  if (answer.kind === "node") return answer.node;
  throw new CniError(code.tryAgainLater, answer.kind === "absent" ? answer.message : answer.reason);
}

function limits() {
  return { deadline: Date.now() + seconds * 1000, maxBytes: 32 << 20 };
}
