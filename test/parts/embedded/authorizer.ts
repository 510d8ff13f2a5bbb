import type { Identity } from "../api-server.ts";

/** A user as the authenticator found it. */
export type User = { name: string; groups: string[] };

/** What a user wants: a verb on Nodes (one, or all), or a path that is no resource. */
export type Attributes = { verb: string; node?: string | undefined } | { verb: string; path: string };

/** What a ServiceAccount's role lets it read. */
export type MayRead = Extract<Identity, { kind: "serviceAccount" }>["mayRead"];

/** By user name, `system:serviceaccount:NAMESPACE:NAME`. */
export type Rules = ReadonlyMap<string, MayRead>;

const publicPaths = ["/healthz", "/livez", "/readyz", "/version"];
const discoveryPaths = /^\/(api|apis|openapi)(\/|$)/;
const readVerbs = ["get", "list", "watch"];

/** Says why not, or undefined where the user may. The words are kube-apiserver's with the Node authorizer and RBAC. */
export function findObjection(user: User, attributes: Attributes, rules: Rules): string | undefined {
  if (user.groups.includes("system:masters")) return undefined;
  if ("path" in attributes) {
    const { verb, path } = attributes;
    return mayReadPath(user, path) ? undefined : `User "${user.name}" cannot ${verb} path "${path}"`;
  }
  const { verb, node } = attributes;
  const cannot = `User "${user.name}" cannot ${verb} resource "nodes" in API group "" at the cluster scope`;
  const kubelet = readKubeletNode(user);
  if (kubelet === undefined) return mayReadNode(rules.get(user.name), verb, node) ? undefined : cannot;
  if (readVerbs.includes(verb)) {
    if (node === kubelet) return undefined;
    const what = node === undefined ? "all nodes" : `'${node}'`;
    return `${cannot}: node '${kubelet}' cannot read ${what}, only its own Node object`;
  }
  return verb === "create" || verb === "patch" ? undefined : cannot;
}

/** The NodeRestriction admission plugin: a kubelet changes its own Node only. Says why not, or undefined. */
export function findNodeRestriction(user: User, node: string): string | undefined {
  const kubelet = readKubeletNode(user);
  if (kubelet === undefined || kubelet === node) return undefined;
  return `node "${kubelet}" is not allowed to modify node "${node}"`;
}

function readKubeletNode(user: User): string | undefined {
  return user.groups.includes("system:nodes") ? /^system:node:(.+)$/.exec(user.name)?.[1] : undefined;
}

function mayReadPath(user: User, path: string): boolean {
  return (
    publicPaths.includes(path) || (discoveryPaths.test(path) && user.groups.includes("system:authenticated"))
  );
}

function mayReadNode(mayRead: MayRead = "none", verb: string, node: string | undefined): boolean {
  if (mayRead === "all") return readVerbs.includes(verb);
  return mayRead !== "none" && verb === "get" && node !== undefined && mayRead.includes(node);
}
