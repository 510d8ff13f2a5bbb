import { pemAt } from "./pem.ts";
import { complain, flagAt, type Section, textAt } from "./section.ts";

/** Where a kubeconfig's cluster is and how to know that it is the right one. `ca` is PEM text. */
export type ClusterAccess = {
  server: string;
  ca?: string;
  serverName?: string;
  insecure: boolean;
  proxy?: string;
};

export function readCluster(cluster: Section): ClusterAccess {
  const ca = pemAt(cluster, "certificate-authority", "certificate");
  const insecure = flagAt(cluster, "insecure-skip-tls-verify");
  if (ca !== undefined && insecure) {
    const remedy = "take one of them out: a certificate authority says that the server is to be verified";
    throw complain(cluster, "insecure-skip-tls-verify", " is true beside certificate-authority", remedy);
  }
  const serverName = textAt(cluster, "tls-server-name");
  const proxy = readProxy(cluster);
  return {
    server: readServer(cluster, ca !== undefined || insecure),
    ...(ca !== undefined && { ca }),
    ...(serverName !== undefined && { serverName }),
    insecure,
    ...(proxy !== undefined && { proxy }),
  };
}

/** client-go's rule: an address without a scheme is https where something is said about TLS, else http. */
function readServer(cluster: Section, isTls: boolean): string {
  const text = textAt(cluster, "server");
  if (text === undefined) throw complain(cluster, "server", " is missing", "expected https://HOST:PORT");
  const url = parseUrl(
    /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `${isTls ? "https" : "http"}://${text}`,
  );
  if (!url || !["https:", "http:"].includes(url.protocol)) {
    throw complain(cluster, "server", ": expected https://HOST:PORT");
  }
  if (url.username || url.password) {
    throw complain(
      cluster,
      "server",
      ": an address with user and password",
      "API servers know no passwords since Kubernetes 1.19",
    );
  }
  return url.origin + url.pathname.replace(/\/+$/, "");
}

function readProxy(cluster: Section): string | undefined {
  const text = textAt(cluster, "proxy-url");
  if (text === undefined) return undefined;
  const url = parseUrl(text);
  if (url && ["http:", "https:"].includes(url.protocol) && url.hostname !== "") return text;
  const remedy = url?.protocol.startsWith("socks") ? "SOCKS proxies aren't supported here" : "";
  throw complain(cluster, "proxy-url", ": expected http://HOST:PORT or https://HOST:PORT", remedy);
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
