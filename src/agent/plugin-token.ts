import { isStatus } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import type { Connection } from "../kube/connection.ts";
import type { NodeFacts } from "../kube/node.ts";
import { readClaims } from "../kube/web-token.ts";
import { isObject, type JsonObject } from "../text/json.ts";

/** Whose token the plugin gets. */
export type Account = { namespace: string; name: string };

/** Long enough for an agent that is away over a weekend; the token ends with its Node. Seconds. */
const boundLife = 72 * 3600;
/** A token that nothing ends, where Nodes can't be bound to. */
const unboundLife = 4 * 3600;

/** `isBound`: it ends with the Node. */
export type PluginToken = { token: string; isBound: boolean };

/** What is said of an account is NAME, in the agent's own namespace, or NAMESPACE/NAME; without it, it is the agent's own. */
export function accountFor(connection: Connection, said: string | undefined): Account {
  const own = ownAccount(connection.token);
  const [first, second] = said?.split("/") ?? [];
  if (first !== undefined && second !== undefined) return { namespace: first, name: second };
  if (!own)
    throw new Error(
      `${connection.origin} holds no ServiceAccount's token, so that none can be asked for: give --plugin-account=NAMESPACE/NAME`,
    );
  return { namespace: own.namespace, name: first ?? own.name };
}

function ownAccount(token: string | undefined): Account | undefined {
  const claims = token === undefined ? undefined : kubernetesClaims(token);
  const account = claims && isObject(claims["serviceaccount"]) ? claims["serviceaccount"]["name"] : undefined;
  const namespace = claims?.["namespace"];
  return typeof account === "string" && typeof namespace === "string"
    ? { namespace, name: account }
    : undefined;
}

/** By the TokenRequest API, bound to the Node; unbound and short where the server can't bind to Nodes (before Kubernetes 1.31), or does not. */
export async function requestToken(client: Client, account: Account, node: NodeFacts): Promise<PluginToken> {
  const bound = await askBound(client, account, node);
  if (bound !== undefined) return { token: bound, isBound: true };
  return { token: await ask(client, account, { expirationSeconds: unboundLife }), isBound: false };
}

/** Undefined where the server knows no such binding, which it says as a mistake in the request. */
async function askBound(client: Client, account: Account, node: NodeFacts): Promise<string | undefined> {
  const boundObjectRef = { apiVersion: "v1", kind: "Node", name: node.name, uid: node.uid };
  try {
    const token = await ask(client, account, { expirationSeconds: boundLife, boundObjectRef });
    return nodeIn(token) === node.uid ? token : undefined;
  } catch (error) {
    if (isStatus(error, 400, 422)) return undefined;
    throw error;
  }
}

/** The UID of the Node that it is bound to. */
function nodeIn(token: string): unknown {
  const node = kubernetesClaims(token)?.["node"];
  return isObject(node) ? node["uid"] : undefined;
}

async function ask(client: Client, { namespace, name }: Account, spec: object): Promise<string> {
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec };
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(name)}/token`;
  const answer = await client.create<{ status?: { token?: string } }>(path, body);
  const token = answer.status?.token;
  if (!token) throw new Error(`the API server gave no token for the ServiceAccount ${namespace}/${name}`);
  return token;
}

/** Whether a token is still to be used: for this account and Node (as it is now), and less than two thirds of its life old. */
export function isFresh(
  token: string,
  account: Account,
  node: NodeFacts,
  now: number,
  jitter: number,
): boolean {
  const claims = readClaims(token);
  const kubernetes = kubernetesClaims(token);
  if (!claims || !kubernetes) return false;
  const bound = nodeIn(token) ?? node.uid;
  const subject = `system:serviceaccount:${account.namespace}:${account.name}`;
  const until = Number(claims["iat"]) + useOf(token, jitter);
  return bound === node.uid && claims["sub"] === subject && now / 1000 < until;
}

/** Seconds that it is to be used for, on any clock. */
export function useOf(token: string, jitter: number): number {
  const claims = readClaims(token);
  return (Number(claims?.["exp"]) - Number(claims?.["iat"])) * (2 / 3 - jitter / 10);
}

/** When it ends, as text. */
export function endOf(token: string): string {
  const end = Number(readClaims(token)?.["exp"]);
  return Number.isFinite(end) ? new Date(end * 1000).toISOString() : "at an unknown time";
}

function kubernetesClaims(token: string): JsonObject | undefined {
  const claims = readClaims(token)?.["kubernetes.io"];
  return isObject(claims) ? claims : undefined;
}
