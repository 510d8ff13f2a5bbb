import { existsSync } from "node:fs";
import { readText } from "../host/files.ts";
import type { Log } from "../host/log.ts";
import { createClient } from "../kube/client.ts";
import type { Connection } from "../kube/connection.ts";
import { chooseContext, readKubeconfig } from "../kube/kubeconfig.ts";
import type { NodeFacts } from "../kube/node.ts";
import { textAt } from "../kube/section.ts";
import { type AgentConfig, onHost } from "./config.ts";
import { type Manifest, ownFolder } from "./manifest.ts";
import { type Account, accountFor, endOf, isFresh, requestToken } from "./plugin-token.ts";

/** Where the plugin looks by itself when its configuration names no kubeconfig (kube/connection.ts). */
const kubeletsOwn = ["/etc/kubernetes/kubelet.conf", "/var/lib/kubelet/kubeconfig"];

type Needs = { config: AgentConfig; manifest: Manifest; log: Log; connect(): Promise<Connection> };

/** Token renewals of many nodes are spread by this. */
const jitter = Math.random();

/**
 * Credentials for the plugin, which outlive the agent's pod: the kubelet's where they can be seen; else a token, in kube-node.d/ of
 * the host's CNI folder, that is renewed when two thirds of its life are over. Gives what is to be said of them.
 */
export async function installCredentials(
  needs: Needs,
  askNode: () => Promise<NodeFacts | undefined>,
): Promise<string> {
  const { config } = needs;
  if (config.credentials === "none") return "the plugin's credentials are somebody else's care";
  const kubelets = config.credentials === "token" ? undefined : await findKubelets(config);
  if (kubelets !== undefined) return `the plugin uses the kubelet's ${kubelets}`;
  if (config.credentials === "kubelet")
    throw new Error(
      `none of ${kubeletsOwn.join(", ")} can be seen below ${config.hostRoot || "/"}: mount it, or give --credentials=token`,
    );
  const node = await askNode();
  if (!node) throw new Error(`a token needs Node ${config.nodeName}, which was not seen yet`);
  return await installToken(needs, node);
}

async function installToken({ config, manifest, log, connect }: Needs, node: NodeFacts): Promise<string> {
  const connection = await connect();
  const account = accountFor(connection, config.pluginAccount);
  const folder = ownFolder(config);
  const [tokenFile, kubeconfig] = [`${folder}/token`, `${folder}/kubeconfig`];
  const there = readText(onHost(config, tokenFile))?.trim();
  if (there === undefined || !isFresh(there, account, node, Date.now(), jitter)) {
    const { token, isBound } = await renew(connection, account, node);
    manifest.put(tokenFile, `${token}\n`);
    const fields = { account: `${account.namespace}/${account.name}`, until: endOf(token) };
    if (isBound) log.info("the plugin has a new token, which ends with its Node", fields);
    else log.warn("the plugin has a new token, a short one: this API server binds none to Nodes", fields);
  }
  if (manifest.put(kubeconfig, formatKubeconfig(connection, tokenFile)))
    log.info("installed", { file: kubeconfig });
  return `the plugin uses ${kubeconfig}`;
}

async function renew(connection: Connection, account: Account, node: NodeFacts) {
  const client = await createClient(connection, { requestTimeoutMs: 15_000 });
  try {
    return await requestToken(client, account, node);
  } finally {
    client.close();
  }
}

/** JSON is YAML. The plugin reads the token's file at each call. */
function formatKubeconfig(
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
  const name = "kube-node";
  const document = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster }],
    users: [{ name, user: { tokenFile } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** The first one that is there and whose parts are there. Throws where one is broken: the plugin would fail by it. */
async function findKubelets(config: AgentConfig): Promise<string | undefined> {
  for (const path of kubeletsOwn) {
    const file = await readKubeconfig(onHost(config, path));
    if (!file) continue;
    const { user } = chooseContext([file]);
    for (const key of ["client-certificate", "client-key", "tokenFile"]) {
      const named = textAt(user, key);
      if (named?.startsWith("/") && isMounted(config, named) && !existsSync(onHost(config, named)))
        throw new Error(`the kubelet's ${path} names ${named}, which is absent`);
    }
    return path;
  }
  return undefined;
}

/** What isn't mounted here can't be judged. */
function isMounted(config: AgentConfig, path: string): boolean {
  return existsSync(onHost(config, path.replace(/\/[^/]*$/, "")));
}
