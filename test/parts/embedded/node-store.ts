import { isDeepStrictEqual } from "node:util";
import type { KubeNode, NodeSpec } from "../api-server.ts";
import { answerNoNode, Refusal } from "./answer.ts";
import { mergePatch } from "./merge-patch.ts";
import { admitChange, admitNode, answerExists, type NodeDocument } from "./node-rules.ts";

/** Nodes in memory, with etcd's one counter of revisions. What comes out is a copy. Failures are thrown as `Refusal`. */
export type NodeStore = {
  revision(): number;
  get(name: string): KubeNode;
  find(name: string): KubeNode | undefined;
  /** By name, in etcd's order. */
  list(): KubeNode[];
  create(node: NodeDocument): KubeNode;
  /** An RFC 7386 merge patch. Nothing moves where nothing changes. */
  patch(name: string, patch: object): KubeNode;
  remove(name: string): KubeNode;
};

/** The document of a Node made of what a test says of it. */
export function describeNode({
  name,
  podCIDRs,
  annotations,
  labels,
  machineID = "",
}: NodeSpec): NodeDocument {
  return {
    metadata: { name, ...(annotations && { annotations }), ...(labels && { labels }) },
    spec: podCIDRs?.[0] === undefined ? {} : { podCIDR: podCIDRs[0], podCIDRs },
    status: { nodeInfo: { machineID } },
  };
}

/** An empty store. */
export function createNodeStore(): NodeStore {
  const nodes = new Map<string, KubeNode>();
  let revision = 1;

  function get(name: string): KubeNode {
    const node = nodes.get(name);
    if (!node) throw new Refusal(answerNoNode(name));
    return structuredClone(node);
  }

  function keep(node: KubeNode): KubeNode {
    revision += 1;
    const kept = { ...node, metadata: { ...node.metadata, resourceVersion: String(revision) } };
    nodes.set(kept.metadata.name, structuredClone(kept));
    return kept;
  }

  return {
    revision: () => revision,
    get,
    find: (name) => structuredClone(nodes.get(name)),
    list: () =>
      structuredClone([...nodes.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))),
    create: (document) => {
      const node = admitNode(document);
      if (nodes.has(node.metadata.name)) throw new Refusal(answerExists(node.metadata.name));
      return keep(node);
    },
    patch: (name, patch) => {
      const old = get(name);
      const next = admitChange(old, mergePatch(old, patch) as KubeNode);
      return isDeepStrictEqual(old, next) ? old : keep(next);
    },
    remove: (name) => {
      const node = get(name);
      nodes.delete(name);
      revision += 1;
      return node;
    },
  };
}
