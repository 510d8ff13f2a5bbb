import { existsSync } from "node:fs";
import { readText, removeIfThere } from "../host/files.ts";
import type { Log } from "../host/log.ts";
import { uptime } from "../host/machine.ts";
import { createClient } from "../kube/client.ts";
import type { Connection } from "../kube/connection.ts";
import { type Chosen, chooseContext, readKubeconfig } from "../kube/kubeconfig.ts";
import type { NodeFacts } from "../kube/node.ts";
import { textAt } from "../kube/section.ts";
import { type AgentConfig, onHost } from "./config.ts";
import { type Manifest, ownFolder } from "./manifest.ts";
import { formatAsKubelets, formatWithToken } from "./plugin-kubeconfig.ts";
import { type Account, accountFor, endOf, isFresh, requestToken, useOf } from "./plugin-token.ts";

/** Where the plugin looks by itself when its configuration names no kubeconfig (kube/connection.ts). */
const kubeletsOwn = ["/etc/kubernetes/kubelet.conf", "/var/lib/kubelet/kubeconfig"];

type Needs = { config: AgentConfig; manifest: Manifest; log: Log; connect(): Promise<Connection> };

/** The kubelet's kubeconfig, by the host's name, and what is chosen in it. */
type Kubelets = { path: string; chosen: Chosen };

/** Token renewals of many nodes are spread by this. */
const jitter = Math.random();

/**
 * Credentials for the plugin, which outlive the agent's pod, by the kubeconfig in kube-node.d/ of the host's CNI folder: the kubelet's
 * where they can be seen; else a token beside it, that is renewed when two thirds of its life are over. Gives what is to be said of them.
 */
export async function installCredentials(
  needs: Needs,
  askNode: () => Promise<NodeFacts | undefined>,
): Promise<string> {
  const { config } = needs;
  if (config.credentials === "none") return "the plugin's credentials are somebody else's care";
  const kubelets = config.credentials === "token" ? undefined : await findKubelets(config);
  if (kubelets !== undefined) return await passOn(needs, kubelets);
  if (config.credentials === "kubelet")
    throw new Error(
      `none of ${kubeletsOwn.join(", ")} can be seen below ${config.hostRoot || "/"}: mount it, or give --credentials=token`,
    );
  const node = await askNode();
  if (!node) throw new Error(`a token needs Node ${config.nodeName}, which was not seen yet`);
  return await installToken(needs, node);
}

/** A configuration may name that kubeconfig, and the plugin prefers it to the kubelet's own: it says the same, and the token is no more. */
async function passOn({ config, manifest, log }: Needs, { path, chosen }: Kubelets): Promise<string> {
  const folder = ownFolder(config);
  if (manifest.put(`${folder}/kubeconfig`, formatAsKubelets(chosen, path)))
    log.info("installed", { file: `${folder}/kubeconfig`, as: path });
  const token = `${folder}/token`;
  const state = await manifest.state(token);
  if (state === "ours") removeIfThere(onHost(config, token));
  if (state !== "changed") manifest.forget(token);
  return `the plugin uses the kubelet's ${path}`;
}

async function installToken({ config, manifest, log, connect }: Needs, node: NodeFacts): Promise<string> {
  const connection = await connect();
  const account = accountFor(connection, config.pluginAccount);
  const folder = ownFolder(config);
  const [tokenFile, kubeconfig] = [`${folder}/token`, `${folder}/kubeconfig`];
  const there = readText(onHost(config, tokenFile))?.trim();
  if (there === undefined || !isFresh(there, account, node, Date.now(), jitter) || isOutlived(there)) {
    const { token, isBound } = await renew(connection, account, node);
    manifest.put(tokenFile, `${token}\n`);
    const fields = { account: `${account.namespace}/${account.name}`, until: endOf(token) };
    if (isBound) log.info("the plugin has a new token, which ends with its Node", fields);
    else log.warn("the plugin has a new token, a short one: this API server binds none to Nodes", fields);
  }
  if (manifest.put(kubeconfig, formatWithToken(connection, tokenFile)))
    log.info("installed", { file: kubeconfig });
  return `the plugin uses ${kubeconfig}`;
}

let held: { token: string; since: number } | undefined;

/** Whether it was there for as long as it is to be used: a wall clock that is set back doesn't make it younger. */
function isOutlived(token: string): boolean {
  if (held?.token !== token) held = { token, since: uptime() };
  return uptime() - held.since > useOf(token, jitter);
}

async function renew(connection: Connection, account: Account, node: NodeFacts) {
  const client = await createClient(connection, { requestTimeoutMs: 15_000 });
  try {
    return await requestToken(client, account, node);
  } finally {
    client.close();
  }
}

/** The first one that is there and whose parts are there. Throws where one is broken: the plugin would fail by it. */
async function findKubelets(config: AgentConfig): Promise<Kubelets | undefined> {
  for (const path of kubeletsOwn) {
    const file = await readKubeconfig(onHost(config, path));
    if (!file) continue;
    const chosen = chooseContext([file]);
    for (const key of ["client-certificate", "client-key", "tokenFile"]) {
      const named = textAt(chosen.user, key);
      if (named?.startsWith("/") && isMounted(config, named) && !existsSync(onHost(config, named)))
        throw new Error(`the kubelet's ${path} names ${named}, which is absent`);
    }
    return { path, chosen };
  }
  return undefined;
}

/** What isn't mounted here can't be judged. */
function isMounted(config: AgentConfig, path: string): boolean {
  return existsSync(onHost(config, path.replace(/\/[^/]*$/, "")));
}
