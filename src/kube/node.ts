import { isObject } from "../text/json.ts";
import type { Connection } from "./connection.ts";
import { type Outage, outage } from "./outage.ts";
import { type Answer, get, type Limits } from "./request.ts";

/** What this project wants to know of a Node. */
export type NodeFacts = {
  name: string;
  uid: string;
  /** "" where the kubelet hasn't said yet. */
  machineID: string;
  podCIDRs: string[];
  annotations: Record<string, string>;
};

type Absent = Extract<Answer, { kind: "absent" }>;

const pageSize = 250;
/** RFC 1123 subdomain: what a Node's name is made of. */
const nodeName = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

export async function getNode(
  connection: Connection,
  name: string,
  limits: Limits,
): Promise<{ kind: "node"; node: NodeFacts } | Absent | Outage> {
  if (!nodeName.test(name))
    return { kind: "absent", message: `no Node can have the name ${JSON.stringify(name.slice(0, 80))}` };
  const answer = await get(connection, `/api/v1/nodes/${encodeURIComponent(name)}`, limits);
  if (answer.kind !== "object") return answer;
  const node = readNode(answer.body);
  if (node?.name === name) return { kind: "node", node };
  return outage(connection, `answered with rubbish: no Node, or another than ${name}`, { status: 200 });
}

/** All Nodes with one of these machine ids, in pages; `maxBytes` is for a page. More than one: the caller has to refuse. */
export async function listNodesByMachineID(
  connection: Connection,
  machineIDs: readonly string[],
  limits: Limits,
): Promise<{ kind: "nodes"; nodes: NodeFacts[] } | Outage> {
  const wanted = machineIDs.filter((id) => id !== "");
  const nodes: NodeFacts[] = [];
  for (let next = ""; ; ) {
    const more = next === "" ? "" : `&continue=${encodeURIComponent(next)}`;
    const answer = await get(connection, `/api/v1/nodes?limit=${pageSize}${more}`, limits);
    if (answer.kind === "outage") return answer;
    const page = answer.kind === "object" ? readPage(answer.body) : undefined;
    const found = page?.items.filter((item) => wanted.includes(machineIDOf(item) ?? "")).map(readNode);
    if (!page || !found?.every((node) => node !== undefined)) {
      return outage(connection, "answered with rubbish: no list of Nodes", { status: 200 });
    }
    nodes.push(...found);
    if (page.next === "") return { kind: "nodes", nodes };
    if (page.next === next)
      return outage(connection, "gives the same page of Nodes again and again", { status: 200 });
    next = page.next;
  }
}

function readPage(body: unknown): { items: unknown[]; next: string } | undefined {
  if (!isObject(body) || body["kind"] !== "NodeList" || !Array.isArray(body["items"])) return undefined;
  const metadata = isObject(body["metadata"]) ? body["metadata"] : {};
  const next = metadata["continue"] ?? "";
  return typeof next === "string" ? { items: body["items"], next } : undefined;
}

/** Undefined where it is no Node. Items of a list come without a kind. */
export function readNode(value: unknown): NodeFacts | undefined {
  if (!isObject(value) || (value["kind"] ?? "Node") !== "Node" || !isObject(value["metadata"]))
    return undefined;
  const { name, uid } = value["metadata"];
  const annotations = value["metadata"]["annotations"] ?? {};
  const machineID = machineIDOf(value);
  const podCIDRs = readPodCIDRs(value["spec"] ?? {});
  if (typeof name !== "string" || typeof uid !== "string" || name === "" || uid === "") return undefined;
  if (
    machineID === undefined ||
    !podCIDRs ||
    !isObject(annotations) ||
    !Object.values(annotations).every(isText)
  )
    return undefined;
  return { name, uid, machineID, podCIDRs, annotations: annotations as Record<string, string> };
}

function machineIDOf(node: unknown): string | undefined {
  const status = isObject(node) ? (node["status"] ?? {}) : undefined;
  const info = isObject(status) ? (status["nodeInfo"] ?? {}) : undefined;
  const machineID = isObject(info) ? (info["machineID"] ?? "") : undefined;
  return isText(machineID) ? machineID : undefined;
}

function readPodCIDRs(spec: unknown): string[] | undefined {
  if (!isObject(spec)) return undefined;
  const list = spec["podCIDRs"] ?? [];
  const single = spec["podCIDR"] ?? "";
  if (!Array.isArray(list) || !list.every(isText) || !isText(single)) return undefined;
  return list.length === 0 && single !== "" ? [single] : list;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
