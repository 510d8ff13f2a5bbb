import { setTimeout as sleep } from "node:timers/promises";
import type { Identity } from "../api-server.ts";
import type { Answer, Call } from "../https-request.ts";

/** The administrator's way to the server: resolves with a 2xx answer, rejects with any other one's words. */
export type Administrate = (call: Call) => Promise<Answer>;

type ServiceAccount = Extract<Identity, { kind: "serviceAccount" }>;

/** Makes the ServiceAccount and what it may read of Nodes, and waits until the authorizer knows. */
export async function applyServiceAccount(
  administrate: Administrate,
  account: ServiceAccount,
): Promise<void> {
  const { namespace, name } = account;
  const roleName = `test:${namespace}:${name}`;
  const role = {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: roleName },
  };
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  await apply(administrate, `/api/v1/namespaces/${namespace}`, {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: namespace },
  });
  await apply(administrate, `/api/v1/namespaces/${namespace}/serviceaccounts/${name}`, {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { namespace, name },
  });
  await apply(administrate, `${rbac}/clusterroles/${roleName}`, {
    ...role,
    rules: nodeRules(account.mayRead),
  });
  await apply(administrate, `${rbac}/clusterrolebindings/${roleName}`, {
    apiVersion: role.apiVersion,
    kind: "ClusterRoleBinding",
    metadata: { name: roleName },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: roleName },
    subjects: [{ kind: "ServiceAccount", namespace, name }],
  });
  await waitForRules(administrate, account);
}

/** A token of an hour by the TokenRequest API. */
export async function requestToken(administrate: Administrate, account: ServiceAccount): Promise<string> {
  const { namespace, name, boundTo } = account;
  const answer = await administrate({
    method: "POST",
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    body: {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: {
        expirationSeconds: 3600,
        ...(boundTo !== undefined && { boundObjectRef: { apiVersion: "v1", kind: "Node", name: boundTo } }),
      },
    },
  });
  return (answer.json as { status: { token: string } }).status.token;
}

function nodeRules(mayRead: ServiceAccount["mayRead"]): object[] {
  const nodes = { apiGroups: [""], resources: ["nodes"] };
  if (mayRead === "none" || mayRead.length === 0) return [];
  if (mayRead === "all") return [{ ...nodes, verbs: ["get", "list", "watch"] }];
  return [{ ...nodes, verbs: ["get"], resourceNames: mayRead }];
}

function apply(administrate: Administrate, path: string, body: object): Promise<Answer> {
  return administrate({
    method: "PATCH",
    path: `${path}?fieldManager=test&force=true`,
    body,
    headers: { "content-type": "application/apply-patch+yaml" },
  });
}

// RBAC reads from a cache of its own, which follows what was written a moment later.
async function waitForRules(administrate: Administrate, account: ServiceAccount): Promise<void> {
  const { mayRead } = account;
  const wanted: [object, boolean][] = [
    [{ verb: "list" }, mayRead === "all"],
    [{ verb: "get", name: "no-such-node" }, mayRead === "all"],
    ...(Array.isArray(mayRead)
      ? mayRead.map((name): [object, boolean] => [{ verb: "get", name }, true])
      : []),
  ];
  for (const [attributes, allowed] of wanted) {
    const end = Date.now() + 10_000;
    while ((await isAllowed(administrate, account, attributes)) !== allowed) {
      if (Date.now() > end)
        throw new Error(`RBAC never learnt of ${JSON.stringify({ account, attributes, allowed })}`);
      await sleep(20);
    }
  }
}

async function isAllowed(
  administrate: Administrate,
  { namespace, name }: ServiceAccount,
  attributes: object,
) {
  const answer = await administrate({
    method: "POST",
    path: "/apis/authorization.k8s.io/v1/subjectaccessreviews",
    body: {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: {
        user: `system:serviceaccount:${namespace}:${name}`,
        groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
        resourceAttributes: { group: "", resource: "nodes", ...attributes },
      },
    },
  });
  return (answer.json as { status: { allowed: boolean } }).status.allowed;
}
