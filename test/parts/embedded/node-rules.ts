import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { KubeNode } from "../api-server.ts";
import { type Answer, answerFailure, answerInvalid, Refusal } from "./answer.ts";

/** A Node as a client sends it. */
export type NodeDocument = {
  metadata: { name: string; annotations?: Record<string, string>; labels?: Record<string, string> };
  spec?: KubeNode["spec"];
  status?: Partial<KubeNode["status"]>;
};

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const qualifiedName = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** The Node that a document makes, still without resourceVersion. Refuses names and annotations as Kubernetes does. */
export function admitNode({ metadata, spec, status }: NodeDocument): KubeNode {
  const { name, annotations, labels } = metadata;
  if (!subdomain.test(name)) {
    const rule =
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'";
    throw new Refusal(answerInvalid(name, "metadata.name", `Invalid value: "${name}": ${rule}`));
  }
  checkAnnotations(name, annotations);
  return {
    kind: "Node",
    apiVersion: "v1",
    metadata: {
      name,
      uid: randomUUID(),
      resourceVersion: "",
      creationTimestamp: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
      ...(labels && { labels }),
      ...(annotations && { annotations }),
    },
    spec: spec ?? {},
    status: { ...status, nodeInfo: { machineID: "", ...status?.nodeInfo } },
  };
}

/** What becomes of a Node that a patch changed: some of it is refused, some quietly stays as it was. */
export function admitChange(old: KubeNode, patched: KubeNode): KubeNode {
  const { name } = old.metadata;
  checkIdentity(old.metadata, patched.metadata);
  checkAnnotations(name, patched.metadata.annotations);
  if (old.spec.podCIDRs && !isDeepStrictEqual(old.spec.podCIDRs, patched.spec.podCIDRs)) {
    const problem = 'Forbidden: node updates may not change podCIDR except from "" to valid';
    throw new Refusal(answerInvalid(name, "spec.podCIDRs", problem));
  }
  const { annotations, labels, ...identity } = { ...patched.metadata, ...readIdentity(old.metadata) };
  const metadata = {
    ...identity,
    ...(isFilled(labels) && { labels }),
    ...(isFilled(annotations) && { annotations }),
  };
  return { ...patched, metadata, status: old.status };
}

/** A Node of this name is there already. */
export function answerExists(name: string): Answer {
  return answerFailure(409, "AlreadyExists", `nodes "${name}" already exists`, { name, kind: "nodes" });
}

// A client that names uid or resourceVersion means that one; one that names neither means the Node as it is.
function checkIdentity(old: KubeNode["metadata"], next: Partial<KubeNode["metadata"]>): void {
  const { name, uid, resourceVersion } = old;
  if (next.name !== name) {
    const message = `the name of the object (${next.name}) does not match the name on the URL (${name})`;
    throw new Refusal(answerFailure(400, "BadRequest", message));
  }
  if ((next.uid ?? uid) !== uid) {
    throw new Refusal(
      answerInvalid(name, "metadata.uid", `Invalid value: "${next.uid}": field is immutable`),
    );
  }
  if ((next.resourceVersion ?? resourceVersion) !== resourceVersion) {
    const modified =
      "the object has been modified; please apply your changes to the latest version and try again";
    const message = `Operation cannot be fulfilled on nodes "${name}": ${modified}`;
    throw new Refusal(answerFailure(409, "Conflict", message, { name, kind: "nodes" }));
  }
}

function checkAnnotations(node: string, annotations: Record<string, unknown> = {}): void {
  for (const [key, value] of Object.entries(annotations)) {
    const rule = qualifiedName.test(key)
      ? typeof value !== "string" && `annotation "${key}" must be a string`
      : "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
    if (!rule) continue;
    throw new Refusal(answerInvalid(node, "metadata.annotations", `Invalid value: "${key}": ${rule}`));
  }
}

function readIdentity({ name, uid, resourceVersion, creationTimestamp }: KubeNode["metadata"]) {
  return { name, uid, resourceVersion, creationTimestamp };
}

function isFilled(map: object | undefined): boolean {
  return map !== undefined && Object.keys(map).length > 0;
}
