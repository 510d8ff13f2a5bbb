import { CniError, code } from "../cni/error.ts";
import { type ClusterAccess, readCluster } from "./cluster.ts";
import { type Chosen, chooseContext, isEmpty, readKubeconfig } from "./kubeconfig.ts";
import { chooseProxy } from "./proxy.ts";
import type { Section } from "./section.ts";
import { readServiceAccount } from "./service-account.ts";
import { readSystemAuthorities } from "./system-authorities.ts";
import { refuseForeignKubeconfig } from "./trusted-file.ts";
import { type Credentials, readUser } from "./user.ts";

/**
 * How to reach and to convince an API server. `server` is https://HOST:PORT with the prefix of its paths, without a slash at
 * the end; `origin` says where all this comes from, for errors. `ca`, `cert` and `key` are PEM texts; without `ca` the
 * runtime's own authorities count; `proxy` is the one to be used, whatever the environment says.
 */
export type Connection = ClusterAccess & Credentials & { origin: string };

export type Environment = Readonly<Record<string, string | undefined>>;

/** Files outside of what the environment names; `kubelet`: the node's own, the node agent's before the kubelet's. */
export type Places = { serviceAccount: string; kubelet: readonly string[] };

/** What the node agent makes for the plugin where there is nothing to be had of the kubelet. */
const agentsKubeconfig = "/etc/cni/net.d/kube-node.d/kubeconfig";

const usualPlaces: Places = {
  serviceAccount: "/var/run/secrets/kubernetes.io/serviceaccount",
  kubelet: [agentsKubeconfig, "/etc/kubernetes/kubelet.conf", "/var/lib/kubelet/kubeconfig"],
};

/** `deadline` (ms since 1970) is for exec plugins; `attended`: somebody is there whom they may ask. */
export type Caller = { env: Environment; deadline?: number; attended?: boolean };

/** `kubeconfig` is the path that the configuration names. */
export type Choice = Caller & { kubeconfig?: string | undefined; places?: Places };

/**
 * The first of: `kubeconfig`, $KUBECONFIG, ~/.kube/config, in-cluster, the node agent's, the kubelet's own. Throws code 7 where what is chosen
 * is absent or broken, code 11 where an exec plugin gives no credentials.
 */
export async function readConnection(choice: Choice): Promise<Connection> {
  const { env, places = usualPlaces } = choice;
  if (choice.kubeconfig) {
    refuseForeignKubeconfig(choice.kubeconfig);
    return connect(choice, await readAll([choice.kubeconfig], "the kubeconfig"));
  }
  const named = [...new Set((env["KUBECONFIG"] ?? "").split(":"))].filter((path) => path !== "");
  if (named.length > 0) return connect(choice, await readAll(named, "$KUBECONFIG:"));
  const passed = ["$KUBECONFIG (not set)"];
  const home = await readHome(env, passed);
  if (home) return connect(choice, [home]);
  const account = readServiceAccount(env, places.serviceAccount, passed);
  if (account) return complete(account, env);
  for (const path of places.kubelet) {
    const file = await readKubeconfig(path);
    if (file) return connect(choice, [file]);
    passed.push(`${path} (absent)`);
  }
  const remedy = `name one as kubeconfig in the configuration; looked at ${passed.join(", ")}`;
  throw new CniError(code.invalidConfig, "no kubeconfig was found", remedy);
}

async function readAll(paths: string[], source: string): Promise<[Section, ...Section[]]> {
  const files: Section[] = [];
  for (const path of paths) {
    const file = await readKubeconfig(path.startsWith("/") ? path : `${process.cwd()}/${path}`);
    if (file) files.push(file);
  }
  const [first, ...others] = files;
  if (!first)
    throw new CniError(
      code.invalidConfig,
      `${source} ${paths.join(", ")} is absent`,
      "make it, or name another",
    );
  return [first, ...others];
}

async function readHome(env: Environment, passed: string[]): Promise<Section | undefined> {
  if (!env["HOME"]) {
    passed.push("~/.kube/config (HOME is not set)");
    return undefined;
  }
  const path = `${env["HOME"]}/.kube/config`;
  const file = await readKubeconfig(path);
  if (file && !isEmpty(file)) return file;
  passed.push(`${path} (${file ? "empty" : "absent"})`);
  return undefined;
}

function connect(choice: Choice, files: [Section, ...Section[]]): Promise<Connection> {
  return connectTo(choice, chooseContext(files));
}

/** The connection that a context stands for. */
export async function connectTo(
  caller: Caller,
  { file, context, cluster, user }: Chosen,
): Promise<Connection> {
  const access = readCluster(cluster);
  const credentials = access.server.startsWith("https:")
    ? await credentialsOf(caller, user, cluster, access)
    : {};
  return complete({ ...access, ...credentials, origin: `${file}, context ${context}` }, caller.env);
}

/** client-go sends no credentials over plain http, nor do we. */
async function credentialsOf(
  caller: Caller,
  user: Section,
  cluster: Section,
  access: ClusterAccess,
): Promise<Credentials> {
  const found = readUser(user);
  if (!("exec" in found)) return found;
  const { runExecPlugin } = await import("./exec-plugin.ts");
  return runExecPlugin({ ...caller, exec: found.exec, cluster, access });
}

/** With what the environment adds: the proxy, the machine's own authorities. */
export async function complete(connection: Connection, env: Environment): Promise<Connection> {
  const proxy = connection.proxy ?? (await chooseProxy(connection.server, env));
  const ca = connection.ca ?? (connection.insecure ? undefined : readSystemAuthorities(env));
  return { ...connection, ...(proxy !== undefined && { proxy }), ...(ca !== undefined && { ca }) };
}
