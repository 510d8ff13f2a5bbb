import { nestRanges, spellOutRanges } from "../api/annotation-body.ts";
import {
  defaultConfigFile,
  type NodeAnnotationConfig,
  parseNodeAnnotationConfig,
} from "../api/node-annotation-config.ts";
import { isReserved, type PluginConfig } from "../api/plugin-config.ts";
import type { Environment } from "../cni/environment.ts";
import { CniError, code } from "../cni/error.ts";
import type { Network } from "../cni/network.ts";
import { readText } from "../host/files.ts";
import { openLog, parseLevel } from "../host/log.ts";
import { openState } from "../lease/state.ts";
import { annotationBody } from "../ranges/source.ts";
import { fold } from "../text/fold.ts";
import type { JsonObject } from "../text/json.ts";
import { openBudget } from "./budget.ts";
import { refuseIpRanges } from "./ip-ranges.ts";
import { checkIpam, ipamOf } from "./ipam-config.ts";
import type { DelegateChoice, ReadRequest } from "./request.ts";

/** node-annotation's own way of reading a request: a file on the node, and `ipam.annotation`. */
export async function readNodeAnnotationRequest(
  network: Network,
  folders: string[],
  env: Environment,
  open: typeof openLog = openLog,
): Promise<ReadRequest> {
  const file = readNodeFile(env);
  const config = await readIpam(network.raw);
  const { annotation, ipv4Namespaces, nodeName } = config;
  if (annotation === undefined) {
    throw new CniError(
      code.invalidConfig,
      "ipam names no annotation",
      "ipam.annotation: expected the key of an annotation on the Node",
    );
  }
  if (ipv4Namespaces) refuseIpRanges(network.raw["runtimeConfig"]);
  const kubeconfig = file.kubeconfig ?? config.kubeconfig;
  const delegate = chooseDelegate(file.nextipam, folders, env);
  const log = open(file.log ?? config.logfile, parseLevel(config.loglevel), {
    plugin: "node-annotation",
    network: network.name,
  });
  const request: ReadRequest = {
    network,
    source: annotationBody(annotation),
    cacheTTL: config.cacheTTL ?? 0,
    ...(ipv4Namespaces && { ipv4Namespaces }),
    ...(kubeconfig !== undefined && { kubeconfig }),
    ...(nodeName !== undefined && { nodeName }),
    mayHaveLegacyCache: false,
    delegate,
    // The original replaced ipam by the annotation's body: what else stands in it has never reached a delegate.
    passedOn: {},
    prepare: (body) => prepareBody(body, delegate.name, ipv4Namespaces !== undefined),
    state: openState(undefined, network.name),
    budget: openBudget(config.timeout),
    env,
    log,
    leasedBefore: async (attachment) => {
      if (delegate.name !== "host-local") return undefined;
      return (await import("./leased-before.ts")).leasedBefore(request, attachment);
    },
  };
  return request;
}

/** The body goes on as it is; host-local's ranges are put into the form that it takes, and that the gating sees through. */
function prepareBody(body: JsonObject, delegate: string, isGated: boolean): JsonObject {
  if (delegate !== "host-local") return body;
  return isGated ? spellOutRanges(nestRanges(body)) : nestRanges(body);
}

/** $NODE_ANNOTATION_CFG, or the usual place; without one, everything is as by default. */
export function readNodeFile(env: Environment): NodeAnnotationConfig {
  const path = env["NODE_ANNOTATION_CFG"] || defaultConfigFile;
  const text = readText(path);
  if (text === undefined || text.trim() === "") return {};
  try {
    return parseNodeAnnotationConfig(text);
  } catch (error) {
    throw new CniError(code.invalidConfig, `${path} is malformed`, (error as Error).message, error);
  }
}

/** What the original never read stays unread: ranges and a delegate come from the node alone. */
async function readIpam(raw: JsonObject): Promise<PluginConfig> {
  const isUnread = (key: string) => isReserved(key) || fold(key) === "nextipam";
  const kept = Object.entries(ipamOf(raw)).filter(([key]) => !isUnread(key));
  return (await checkIpam(Object.fromEntries(kept))).config;
}

/** The node's own file may give a path; a name is looked for in CNI_PATH, the own folder and PATH. */
function chooseDelegate(nextipam: string | undefined, folders: string[], env: Environment): DelegateChoice {
  const own = ownFolder();
  if (nextipam === undefined) return { name: "host-local", folders: [own, ...folders] };
  if (nextipam.includes("/"))
    return { name: nextipam.slice(nextipam.lastIndexOf("/") + 1), path: nextipam, folders };
  return { name: nextipam, folders: [...folders, own, ...(env["PATH"] ?? "").split(":").filter(Boolean)] };
}

/** The folder that this executable was called in. */
function ownFolder(): string {
  const called = process.argv0.includes("/") ? process.argv0 : process.execPath;
  return called.slice(0, called.lastIndexOf("/"));
}
