import type { Client } from "../kube/client.ts";
import type { SplitNode } from "../split/draft.ts";
import type { Reserved } from "../split/plan.ts";
import { parseSpan } from "../split/span.ts";
import { claimsOfPools } from "../survey/pool-claims.ts";
import { readServiceCIDRs } from "../survey/service-cidrs.ts";
import { isObject } from "../text/json.ts";
import { readAllPools } from "./served-pools.ts";

/** A Node as split needs it; a write is tied to `resourceVersion`. */
export type ClusterNode = SplitNode & { resourceVersion: string };

/** `notes` are sentences on what could not be read. */
export type SplitCluster = { nodes: ClusterNode[]; reserved: Reserved[]; notes: string[] };

type Facts = Omit<ClusterNode, "selected"> & { podCIDRs: string[] };

/** All Nodes, those of the selector marked, and what is given to Services, pods and pools already. */
export async function readSplitCluster(
  client: Client,
  key: string,
  selector: string | undefined,
  onNodes: (done: number, remaining: number) => void,
): Promise<SplitCluster> {
  const facts = await client.list("/api/v1/nodes", (item) => readFacts(item, key), { onPage: onNodes });
  const selected = selector ? new Set(await readUids(client, selector)) : undefined;
  const services = await readServiceCIDRs(client);
  const notes = services.unknown ? [services.unknown] : [];
  const pools = claimsOfPools(await readAllPools(client, notes));
  const podCIDRs = facts.flatMap(({ podCIDRs }) => podCIDRs);
  return {
    nodes: facts.map(({ podCIDRs: _, ...node }) => ({ ...node, selected: selected?.has(node.uid) ?? true })),
    reserved: [
      ...reserve(podCIDRs, "podCIDRs of Nodes"),
      ...reserve(services.cidrs, "ServiceCIDRs"),
      ...pools.flatMap(({ owner, spans }) => spans.map((span) => ({ span, by: owner }))),
    ],
    notes,
  };
}

/** What split needs of a Node, as the API has it; undefined where it is none. */
export function readFacts(item: unknown, key: string): Facts | undefined {
  if (!isObject(item) || !isObject(item["metadata"])) return undefined;
  const { name, uid, resourceVersion, annotations } = item["metadata"];
  const { podCIDRs } = isObject(item["spec"]) ? item["spec"] : {};
  const annotation = isObject(annotations) && Object.hasOwn(annotations, key) ? annotations[key] : undefined;
  return {
    name: String(name),
    uid: String(uid),
    resourceVersion: String(resourceVersion),
    podCIDRs: Array.isArray(podCIDRs) ? podCIDRs.map(String) : [],
    ...(annotation !== undefined && { annotation: String(annotation) }),
  };
}

function readUids(client: Client, labelSelector: string): Promise<string[]> {
  return client.list("/api/v1/nodes", (item) => readFacts(item, "")?.uid, { labelSelector });
}

function reserve(cidrs: string[], by: string): Reserved[] {
  return cidrs.map((cidr) => ({ span: parseSpan(cidr), by }));
}
