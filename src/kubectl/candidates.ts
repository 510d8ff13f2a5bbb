import type { Command, Option } from "commander";
import { poolAnnotationKey } from "../api/pool-names.ts";
import { readKubectlNames } from "../kube/kubectl-connection.ts";
import { readPoolObjects } from "../survey/pool-objects.ts";
import { labelOfKey } from "../survey/pool-ranges.ts";
import { takeSurvey } from "../survey/survey.ts";
import { isObject } from "../text/json.ts";
import { isOwnKey } from "./annotation-key.ts";
import type { Candidates } from "./complete.ts";
import { type GlobalFlags, overridesOf } from "./global-flags.ts";
import type { Shell } from "./shell.ts";

const files = ["kubeconfig", "certificateAuthority", "clientCertificate", "clientKey", "svg", "html", "file"];

/** What may stand behind a flag: its choices, names of the kubeconfig or the cluster, or files. */
export async function completeFlagValue(option: Option, command: Command, shell: Shell): Promise<Candidates> {
  const name = option.attributeName();
  if (option.argChoices) return { words: [...option.argChoices] };
  if (files.includes(name)) return { words: [], files: true };
  if (name === "output") return { words: [], files: true };
  if (name === "namespace" || name === "planNamespace")
    return { words: await listNames("/api/v1/namespaces", command, shell) };
  if (name === "key") return { words: await listKeys(command, shell) };
  if (name === "remove") return { words: await listOwnKeys(command, shell) };
  if (name !== "context" && name !== "cluster" && name !== "user") return { words: [] };
  return {
    words: (await readKubectlNames(overridesOf(command.optsWithGlobals<GlobalFlags>()), shell.env))[name],
  };
}

/** What may stand in the place of a command's next word. */
export async function completeWord(
  command: Command,
  words: string[],
  beginning: string,
  shell: Shell,
): Promise<Candidates> {
  switch (command.name()) {
    case "list":
    case "bundle":
      return { words: await listNodes(words, command, shell) };
    case "annotate":
      return await completeAnnotate(words, command, shell);
    case "explain":
      return words.length > 0 ? { words: [] } : await completePod(beginning, command, shell);
    case "split":
      return words.length > 0 ? { words: [] } : { words: await listOwnKeys(command, shell) };
    case "map":
      return words.length > 0 ? { words: [] } : { words: await listKeysAndPools(command, shell) };
    case "rebuild":
      return words.length > 0 ? { words: [] } : { words: await listPools(command, shell) };
    case "completion":
      return { words: ["bash", "zsh", "fish"] };
    default:
      return { words: [] };
  }
}

/** Nodes, and once there is one, keys as well. */
async function completeAnnotate(words: string[], command: Command, shell: Shell): Promise<Candidates> {
  const nodes = await listNodes(words, command, shell);
  if (words.length === 0) return { words: nodes };
  const keys = await listOwnKeys(command, shell);
  return { words: [...keys.map((key) => `${key}=`), ...nodes], more: true };
}

/** A namespace first, then its pods. */
async function completePod(beginning: string, command: Command, shell: Shell): Promise<Candidates> {
  const [namespace, ...others] = beginning.split("/");
  if (others.length === 0) {
    const names = await listNames("/api/v1/namespaces", command, shell);
    return { words: names.map((name) => `${name}/`), more: true };
  }
  const pods = await listNames(`/api/v1/namespaces/${namespace}/pods`, command, shell);
  return { words: pods.map((name) => `${namespace}/${name}`) };
}

/** Nodes that aren't named yet. */
async function listNodes(words: string[], command: Command, shell: Shell): Promise<string[]> {
  const names = await listNames("/api/v1/nodes", command, shell);
  return names.filter((name) => !words.includes(name));
}

async function listNames(path: string, command: Command, shell: Shell): Promise<string[]> {
  const { client } = await shell.connect(command);
  const names = await client.list(path, (item) =>
    isObject(item) && isObject(item["metadata"]) ? String(item["metadata"]["name"]) : undefined,
  );
  return names;
}

async function listKeys(command: Command, shell: Shell): Promise<string[]> {
  const { client } = await shell.connect(command);
  const { ranges, networks } = await takeSurvey(client, { pods: false, services: false });
  const keys = [...networks, ...ranges].map(({ key }) => labelOfKey(key));
  // One with a blank is an annotation of podCIDRs' name, and no single word.
  return [...new Set(keys)].filter((key) => !key.includes(" ")).sort();
}

/** Keys that people may write. */
async function listOwnKeys(command: Command, shell: Shell): Promise<string[]> {
  return (await listKeys(command, shell)).filter(isOwnKey);
}

async function listPools(command: Command, shell: Shell): Promise<string[]> {
  const { client } = await shell.connect(command);
  const { pools } = await readPoolObjects(client, []);
  return pools.map((pool) => labelOfKey(poolAnnotationKey(pool))).sort();
}

/** Pools that no node has a block of yet are there as well. */
async function listKeysAndPools(command: Command, shell: Shell): Promise<string[]> {
  const [keys, pools] = await Promise.all([listKeys(command, shell), listPools(command, shell)]);
  return [...new Set([...keys, ...pools])].sort();
}
