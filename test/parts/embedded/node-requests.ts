import {
  type Answer,
  answerFailure,
  answerForbidden,
  answerJson,
  methodNotAllowed,
  Refusal,
  unknownPath,
  unknownResource,
} from "./answer.ts";
import { findNodeRestriction, findObjection, type Rules, type User } from "./authorizer.ts";
import { discovery } from "./discovery.ts";
import { listNodes } from "./node-list.ts";
import type { NodeDocument } from "./node-rules.ts";
import type { NodeStore } from "./node-store.ts";
import { readSelectedName } from "./selectors.ts";

/** A request whose body was read; `url` is path and query. */
export type ApiRequest = { method: string; url: string; contentType: string; body: string };

const patchTypes = ["application/merge-patch+json", "application/strategic-merge-patch+json"];
const nodesPath = /^\/api\/v1\/nodes(?:\/([^/]+))?$/;

/** The whole API: authorization, then Nodes, discovery and health. Throws `Refusal` for what isn't granted. */
export function answerRequest(request: ApiRequest, user: User, store: NodeStore, rules: Rules): Answer {
  const { pathname, searchParams: query } = new URL(request.url, "https://server");
  const [isNodes, name] = nodesPath.exec(decodeURIComponent(pathname)) ?? [];
  if (isNodes === undefined) return answerPath(request.method, pathname, user, rules);
  const verb = readVerb(request.method, name, query);
  authorize(user, verb, name ?? readSelectedName(query.get("fieldSelector") ?? ""), rules);
  if (name === undefined) return answerCollection(verb, request, user, store, query);
  switch (verb) {
    case "get":
      return answerJson(200, store.get(name));
    case "patch":
      return patchNode(name, request, user, store);
    case "delete":
      return answerDeleted(store.remove(name).metadata);
    default:
      return methodNotAllowed;
  }
}

function answerCollection(
  verb: string,
  request: ApiRequest,
  user: User,
  store: NodeStore,
  query: URLSearchParams,
): Answer {
  if (verb === "list") return listNodes(store, query);
  if (verb !== "create") return methodNotAllowed;
  const node = readObject(request.body) as NodeDocument & { kind?: string };
  if (node.kind !== "Node" || typeof node.metadata?.name !== "string") {
    const message = `${node.kind} in version "v1" cannot be handled as a Node`;
    throw new Refusal(answerFailure(400, "BadRequest", message));
  }
  restrict(user, node.metadata.name);
  return answerJson(201, store.create(node));
}

function patchNode(name: string, { contentType, body }: ApiRequest, user: User, store: NodeStore): Answer {
  if (!patchTypes.includes(contentType)) {
    throw new Refusal(answerFailure(415, "UnsupportedMediaType", "415: Unsupported Media Type", {}));
  }
  store.get(name);
  restrict(user, name);
  return answerJson(200, store.patch(name, readObject(body)));
}

function answerDeleted({ name, uid }: { name: string; uid: string }): Answer {
  const details = { name, kind: "nodes", uid };
  return answerJson(200, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details });
}

function answerPath(method: string, path: string, user: User, rules: Rules): Answer {
  const objection = findObjection(user, { verb: method.toLowerCase(), path }, rules);
  if (objection) throw new Refusal(answerFailure(403, "Forbidden", `forbidden: ${objection}`, {}));
  const known = discovery[path];
  if (known) return answerJson(200, known);
  if (["/healthz", "/livez", "/readyz"].includes(path)) {
    return { status: 200, headers: { "content-type": "text/plain; charset=utf-8" }, body: "ok" };
  }
  return path.startsWith("/api/v1/") ? unknownResource : unknownPath;
}

function readVerb(method: string, name: string | undefined, query: URLSearchParams): string {
  if (method === "GET" && name === undefined) return query.get("watch") ? "watch" : "list";
  if (method === "POST" && name === undefined) return "create";
  if (method === "PUT") return "update";
  return method.toLowerCase();
}

function authorize(user: User, verb: string, node: string | undefined, rules: Rules): void {
  const objection = findObjection(user, { verb, node }, rules);
  if (objection) throw new Refusal(answerForbidden(node, objection));
}

function restrict(user: User, node: string): void {
  const objection = findNodeRestriction(user, node);
  if (objection) throw new Refusal(answerForbidden(node, objection));
}

function readObject(body: string): object {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === "object" && value !== null) return value;
  } catch {}
  throw new Refusal(answerFailure(400, "BadRequest", "the request's body is no JSON object"));
}
