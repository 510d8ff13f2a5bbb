import { statSync } from "node:fs";
import type { Environment, Pod } from "../cni/environment.ts";
import { ownProgram } from "../host/own-program.ts";
import type { ReadRequest } from "../request/request.ts";
import type { PluginCall } from "../upkeep/plugin-call.ts";
import type { Configuration } from "./configuration.ts";
import { pluginFolders } from "./request.ts";
import { makeSandbox, type Sandbox } from "./sandbox.ts";

/** What is executed: the main plugin in a network namespace made for it, or ours alone. `what` and `notes` are for people. */
type Executed = { program: PluginCall["program"]; what: string; notes: string[]; sandbox?: Sandbox };

/** A container's whole life as a runtime would have it: what is executed, and for whom. */
export type Trial = Executed & { request: ReadRequest; containerID: string; env: Environment };

/** The interface of the throw-away container. */
export const ifname = "eth0";

/** Decides what can be executed here, and makes the network namespace where one is needed. */
export async function makeTrial(given: {
  configuration: Configuration;
  request: ReadRequest;
  pod: Pod;
  ipamOnly: boolean;
}): Promise<Trial> {
  const { configuration, request, pod, ipamOnly } = given;
  const folders = pluginFolders(request.env);
  const containerID = `kube-node-try-${process.pid}`;
  const executed = await choose(configuration, folders, ipamOnly, containerID);
  const env = {
    ...request.env,
    CNI_CONTAINERID: containerID,
    CNI_NETNS: executed.sandbox?.path ?? `/var/run/netns/${containerID}`,
    CNI_IFNAME: ifname,
    CNI_PATH: folders.join(":"),
    CNI_ARGS: argumentsFor(pod),
  };
  return { ...executed, request, containerID, env };
}

async function choose(
  { program: ours, network }: Configuration,
  folders: string[],
  ipamOnly: boolean,
  containerID: string,
): Promise<Executed> {
  const { type } = network.raw;
  const own = findProgram(folders, ours);
  if (ipamOnly || type === undefined || type === ours) return alone(ours, own, folders);
  const main = findProgram(folders, String(type));
  if (main === undefined)
    return alone(ours, own, folders, `the main plugin ${type} is in none of ${folders.join(", ")}`);
  if (own === undefined) return alone(ours, own, folders, `${type} would not find it`);
  const sandbox = await makeSandbox(containerID);
  if ("why" in sandbox) return alone(ours, own, folders, sandbox.why);
  return { program: { path: main }, what: `${main} with ${own}`, notes: [], sandbox };
}

/** Our plugin without a main plugin, and why so, where that isn't what was asked for. */
function alone(
  ours: Configuration["program"],
  own: string | undefined,
  folders: string[],
  why?: string,
): Executed {
  const where = `${folders.join(", ")} (set CNI_PATH where plugins are elsewhere)`;
  const notes = [
    ...(why === undefined ? [] : [`${ours} is called alone: ${why}`]),
    ...(own === undefined ? [`${ours} is not in ${where}: this executable is called in its place`] : []),
  ];
  const program = own === undefined ? ownProgram(ours) : { path: own };
  return { program, what: own ?? program.path, notes };
}

/** The first file of that name in the folders, as a runtime looks for plugins. */
export function findProgram(folders: string[], name: string): string | undefined {
  const paths = name.includes("/") ? [] : folders.map((folder) => `${folder}/${name}`);
  return paths.find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
}

/** CNI_ARGS as kubelet's runtimes have them. */
function argumentsFor({ namespace, name }: Pod): string {
  const pairs = { IgnoreUnknown: "1", K8S_POD_NAMESPACE: namespace, K8S_POD_NAME: name };
  return Object.entries(pairs)
    .flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]))
    .join(";");
}
