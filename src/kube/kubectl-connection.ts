import { homedir } from "node:os";
import { delimiter, resolve } from "node:path";
import { CniError, code } from "../cni/error.ts";
import { type Connection, complete, connectTo, type Environment } from "./connection.ts";
import { type Chosen, chooseContext, isEmpty, readKubeconfig } from "./kubeconfig.ts";
import {
  type Impersonation,
  type Overrides,
  overrideCluster,
  overrideUser,
  readImpersonation,
} from "./overrides.ts";
import { type Section, sectionsAt, textAt } from "./section.ts";
import { readServiceAccount } from "./service-account.ts";

/** What kubectl would use: `namespace` is that of -n, else of the context. */
export type Access = { connection: Connection; namespace: string; impersonation?: Impersonation };

const serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/** The connection that kubectl would make with these flags; an exec plugin may ask whoever sits here. Throws a CniError. */
export async function readKubectlConnection(overrides: Overrides, env: Environment): Promise<Access> {
  const passed: string[] = [];
  const files = await findFiles(overrides, env, passed);
  const [first, ...others] = files;
  const chosen = first === undefined ? undefined : choose([first, ...others], overrides);
  if (chosen) return await reach(chosen, overrides, env);
  if (overrides.server !== undefined) return await reach(nothingBut(overrides.server), overrides, env);
  const account = readServiceAccount(env, serviceAccountFolder, passed);
  if (account)
    return { connection: await complete(account, env), namespace: overrides.namespace ?? "default" };
  const remedy = `give one as --kubeconfig=FILE; looked at ${passed.join(", ")}`;
  throw new CniError(code.invalidConfig, "no kubeconfig was found", remedy);
}

/** Names in the kubeconfig that --context, --cluster and --user can take. */
export async function readKubectlNames(
  overrides: Overrides,
  env: Environment,
): Promise<Record<"context" | "cluster" | "user", string[]>> {
  const files = await findFiles(overrides, env, []);
  const names = (list: string) => [
    ...new Set(files.flatMap((file) => sectionsAt(file, list).flatMap((item) => textAt(item, "name") ?? []))),
  ];
  return { context: names("contexts"), cluster: names("clusters"), user: names("users") };
}

/** --kubeconfig alone, else all of $KUBECONFIG that are there, else ~/.kube/config. */
async function findFiles({ kubeconfig }: Overrides, env: Environment, passed: string[]): Promise<Section[]> {
  if (kubeconfig !== undefined) {
    const file = await readKubeconfig(resolve(kubeconfig));
    if (file) return [file];
    throw new CniError(
      code.invalidConfig,
      `--kubeconfig ${kubeconfig} is absent`,
      "name a file that is there",
    );
  }
  const named = [...new Set((env["KUBECONFIG"] ?? "").split(delimiter))].filter((path) => path !== "");
  const paths = named.length > 0 ? named : [`${env["HOME"] || homedir()}/.kube/config`];
  const files: Section[] = [];
  for (const path of paths) {
    const file = await readKubeconfig(resolve(path));
    if (file && !isEmpty(file)) files.push(file);
    else passed.push(`${path} (${file ? "empty" : "absent"})`);
  }
  return files;
}

/** Undefined where no context is chosen, but a server is given. */
function choose(files: [Section, ...Section[]], overrides: Overrides): Chosen | undefined {
  const isChosen =
    overrides.context !== undefined || files.some((file) => textAt(file, "current-context") !== undefined);
  return isChosen || overrides.server === undefined ? chooseContext(files, overrides) : undefined;
}

function nothingBut(server: string): Chosen {
  const empty = (path: string): Section => ({ file: "the command line", path, values: {} });
  return { file: `--server=${server}`, context: "none", cluster: empty("cluster"), user: empty("user") };
}

async function reach(chosen: Chosen, overrides: Overrides, env: Environment): Promise<Access> {
  const cluster = overrideCluster(chosen.cluster, overrides);
  const { own, impersonation } = readImpersonation(chosen.user, overrides);
  const user = overrideUser(own, overrides);
  const connection = await connectTo({ env, attended: true }, { ...chosen, cluster, user });
  const namespace = overrides.namespace ?? chosen.namespace ?? "default";
  return { connection, namespace, ...(impersonation && { impersonation }) };
}
