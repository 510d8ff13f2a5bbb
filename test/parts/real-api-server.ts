import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import type { ApiServer, Credentials, Identity, KubeNode, NodeSpec } from "./api-server.ts";
import { createAuthority } from "./certificates.ts";
import { issueClientCertificate } from "./client-certificate.ts";
import { type Call, type Connection, send } from "./https-request.ts";
import { formatKubeconfig } from "./kubeconfig.ts";
import { findAssets } from "./real/assets.ts";
import { type ControlPlane, startControlPlane } from "./real/control-plane.ts";
import { type Administrate, applyServiceAccount, requestToken } from "./real/service-account.ts";
import { signExpired } from "./web-token.ts";

/** Why there can be no real API server here, or undefined where there can. */
export function reasonForNoRealApiServer(): string | undefined {
  const assets = findAssets();
  return "missing" in assets ? assets.missing : undefined;
}

/** `backUp` gives a function that sets everything back to this moment, as a restored backup of etcd does. */
export type RealApiServer = ApiServer & Pick<ControlPlane, "backUp">;

/** etcd and kube-apiserver from $KUBEBUILDER_ASSETS, in a temporary folder; they end with this process at the latest. `flags` are more of kube-apiserver's. */
export async function startRealApiServer({
  flags = [],
  etcdFlags = [],
}: {
  flags?: string[];
  etcdFlags?: string[];
} = {}): Promise<RealApiServer> {
  const assets = findAssets();
  if ("missing" in assets) throw new Error(assets.missing);
  const authority = await createAuthority("test-authority");
  const admin: Credentials = { client: await issueClientCertificate(authority, { kind: "admin" }) };
  const serviceAccountKey = generateKey();
  const connect = (port: number): Connection => ({
    url: `https://127.0.0.1:${port}`,
    authority: authority.certificate,
    credentials: admin,
  });
  const controlPlane = await startControlPlane(assets.folder, {
    authority: authority.certificate,
    server: await authority.issue({
      commonName: "kube-apiserver",
      ipAddresses: ["127.0.0.1"],
      dnsNames: ["localhost", "kubernetes.default.svc"],
      usages: ["server"],
    }),
    serviceAccountKey,
    flags,
    etcdFlags,
    // The namespace "default" and RBAC's own roles are made by hooks that /readyz waits for.
    isReady: async (port) => (await send(connect(port), { path: "/readyz" })).status === 200,
  });

  const connection = connect(controlPlane.port);
  const administrate: Administrate = async (call) => {
    const answer = await send(connection, call);
    if (answer.status < 300) return answer;
    throw new Error(`${call.method ?? "GET"} ${call.path}: ${answer.status} ${answer.text}`);
  };

  async function credentialsFor(identity: Identity): Promise<Credentials> {
    if (identity.kind === "anonymous") return {};
    if (identity.kind !== "serviceAccount") {
      return { client: await issueClientCertificate(authority, identity) };
    }
    await applyServiceAccount(administrate, identity);
    const token = await requestToken(administrate, identity);
    return { token: identity.expired ? signExpired(token, createPrivateKey(serviceAccountKey)) : token };
  }

  return {
    url: connection.url,
    authority: authority.certificate,
    ...administerNodes((call) => send(connection, call), administrate),
    credentialsFor,
    kubeconfigFor: async (identity, options) =>
      formatKubeconfig(connection, await credentialsFor(identity), options),
    stop: controlPlane.stop,
    start: controlPlane.start,
    close: controlPlane.close,
    backUp: controlPlane.backUp,
  };
}

function generateKey(): string {
  return generateKeyPairSync("ec", {
    namedCurve: "P-256",
    privateKeyEncoding: { type: "sec1", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  }).privateKey;
}

type NodeCalls = Pick<ApiServer, "createNode" | "getNode" | "deleteNode" | "setAnnotation">;

function administerNodes(
  call: (call: Call) => ReturnType<typeof send>,
  administrate: Administrate,
): NodeCalls {
  const path = (name: string): string => `/api/v1/nodes/${name}`;
  return {
    createNode: async (node) =>
      (await administrate({ method: "POST", path: "/api/v1/nodes", body: nodeManifest(node) }))
        .json as KubeNode,
    getNode: async (name) => {
      const answer = await call({ path: path(name) });
      return answer.status === 404 ? undefined : (answer.json as KubeNode);
    },
    deleteNode: async (name) => {
      await administrate({ method: "DELETE", path: path(name) });
    },
    setAnnotation: async (name, key, value) => {
      await administrate({
        method: "PATCH",
        path: path(name),
        body: { metadata: { annotations: { [key]: value } } },
        headers: { "content-type": "application/merge-patch+json" },
      });
    },
  };
}

function nodeManifest({ name, podCIDRs, annotations, labels, machineID }: NodeSpec): object {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, ...(annotations && { annotations }), ...(labels && { labels }) },
    spec: podCIDRs?.length ? { podCIDR: podCIDRs[0], podCIDRs } : {},
    status: machineID === undefined ? {} : { nodeInfo: { machineID } },
  };
}
