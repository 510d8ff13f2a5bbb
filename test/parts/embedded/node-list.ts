import type { KubeNode } from "../api-server.ts";
import { type Answer, answerFailure, answerJson, Refusal } from "./answer.ts";
import type { NodeStore } from "./node-store.ts";
import { parseFieldSelector, parseLabelSelector } from "./selectors.ts";

/**
 * A page of Nodes: fieldSelector, labelSelector, limit and continue. A page follows the Nodes as they are now, not
 * as they were at the first page; as in Kubernetes, items carry no kind and no apiVersion.
 */
export function listNodes(store: NodeStore, query: URLSearchParams): Answer {
  const hasName = parseFieldSelector(query.get("fieldSelector") ?? "");
  const hasLabels = parseLabelSelector(query.get("labelSelector") ?? "");
  const limit = readLimit(query.get("limit") ?? "");
  const after = readContinue(query.get("continue") ?? "");
  const left = store
    .list()
    .filter(
      ({ metadata }) => metadata.name > after && hasName(metadata.name) && hasLabels(metadata.labels ?? {}),
    );
  const page = limit > 0 ? left.slice(0, limit) : left;
  const last = page.at(-1);
  const hasSelector = query.has("fieldSelector") || query.has("labelSelector");
  return answerJson(200, {
    kind: "NodeList",
    apiVersion: "v1",
    metadata: {
      resourceVersion: String(store.revision()),
      ...(last && page.length < left.length && { continue: formatContinue(last, store.revision()) }),
      ...(last &&
        page.length < left.length &&
        !hasSelector && { remainingItemCount: left.length - page.length }),
    },
    items: page.map(({ kind: _kind, apiVersion: _apiVersion, ...item }) => item),
  });
}

function readLimit(text: string): number {
  if (/^-?\d*$/.test(text)) return Number(text);
  throw new Refusal(answerFailure(400, "BadRequest", `strconv.ParseInt: parsing "${text}": invalid syntax`));
}

function formatContinue(last: KubeNode, revision: number): string {
  const token = { v: "meta.k8s.io/v1", rv: revision, start: `${last.metadata.name}\0` };
  return Buffer.from(JSON.stringify(token)).toString("base64url");
}

function readContinue(text: string): string {
  if (text === "") return "";
  try {
    const { start } = JSON.parse(Buffer.from(text, "base64url").toString()) as { start: string };
    return start.replace(/\0$/, "");
  } catch {
    throw new Refusal(answerFailure(400, "BadRequest", "invalid continue token: continue key is not valid"));
  }
}
