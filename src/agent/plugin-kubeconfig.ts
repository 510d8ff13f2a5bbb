import type { Connection } from "../kube/connection.ts";
import type { Chosen } from "../kube/kubeconfig.ts";
import { resolvePath, type Section, textAt } from "../kube/section.ts";

/** The plugin's kubeconfig for a cluster that the agent reaches by this connection. The plugin reads the token's file at each call. */
export function formatWithToken(
  { server, ca, serverName, insecure, proxy }: Connection,
  tokenFile: string,
): string {
  const cluster = {
    server,
    ...(ca !== undefined && { "certificate-authority-data": Buffer.from(ca).toString("base64") }),
    ...(serverName !== undefined && { "tls-server-name": serverName }),
    ...(insecure && { "insecure-skip-tls-verify": true }),
    ...(proxy !== undefined && { "proxy-url": proxy }),
  };
  return format(cluster, { tokenFile });
}

/** The plugin's kubeconfig that says what the kubelet's at `path`, by the host's names, does; files that it names stay where they are. */
export function formatAsKubelets({ cluster, user }: Chosen, path: string): string {
  return format(
    withWholePaths({ ...cluster, file: path }, ["certificate-authority"]),
    withWholePaths({ ...user, file: path }, ["client-certificate", "client-key", "tokenFile"]),
  );
}

function withWholePaths(section: Section, keys: string[]): object {
  const paths = keys.flatMap((key) => {
    const named = textAt(section, key);
    return named === undefined ? [] : [[key, resolvePath(section, named)]];
  });
  return { ...section.values, ...Object.fromEntries(paths) };
}

/** JSON is YAML. */
function format(cluster: object, user: object): string {
  const name = "kube-node";
  const document = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
