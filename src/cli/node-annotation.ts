import type { Environment } from "../cni/environment.ts";
import { CniError, code } from "../cni/error.ts";
import { machineIDs } from "../host/machine.ts";
import { type Connection, readConnection } from "../kube/connection.ts";
import { getNode, type NodeFacts } from "../kube/node.ts";
import { get } from "../kube/request.ts";
import { askOwnNode, type NodeAnswer } from "../ranges/own-node.ts";
import { readNodeFile } from "../request/node-annotation.ts";

const seconds = 15;

/** The Node of this machine, all of it, as JSON. */
export async function showMyNode(env: Environment): Promise<string> {
  const connection = await connect(env);
  const { name } = await ownNode(connection, env);
  const answer = await get(connection, `/api/v1/nodes/${name}`, limits());
  if (answer.kind === "object") return JSON.stringify(answer.body, null, 2);
  throw new CniError(code.tryAgainLater, answer.kind === "absent" ? answer.message : answer.reason);
}

/** The text of an annotation, of this machine's Node where none is named. */
export async function getAnnotation(
  key: string,
  name: string | undefined,
  env: Environment,
): Promise<string> {
  const connection = await connect(env);
  const node =
    name === undefined
      ? await ownNode(connection, env)
      : expectNode(await getNode(connection, name, limits()));
  if (Object.hasOwn(node.annotations, key)) return node.annotations[key] as string;
  throw new CniError(
    code.nodeRanges,
    `Node ${node.name} has no annotation ${key}`,
    `it has ${Object.keys(node.annotations).join(", ") || "none"}`,
  );
}

async function connect(env: Environment): Promise<Connection> {
  const { kubeconfig } = readNodeFile(env);
  return await readConnection({ env, deadline: limits().deadline, kubeconfig });
}

async function ownNode(connection: Connection, env: Environment): Promise<NodeFacts> {
  const given = env["NODE_NAME"];
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
