import { readOwn } from "../host/files.ts";
import { isObject, type JsonObject } from "../text/json.ts";

/** Where the node agent writes: /run is emptied at every boot. */
const folder = "/run/kube-node";

/** How long the agent's word counts after it last heard from the API server, in seconds. */
export const longestSilence = 15;

/** The own Node as the agent's watch last saw it. */
export type AgentNode = {
  name: string;
  uid: string;
  machineID: string;
  podCIDRs: string[];
  annotations: Record<string, string>;
};

/**
 * `node.json` (written on change) holds the Node; `alive` (written every few seconds) when the agent last heard from
 * the API server, in seconds of uptime. Undefined where no agent lives, where it is cut off, or is of another boot.
 */
export function readAgentFile(here: {
  bootID: string;
  uptime: number;
  machineIDs: string[];
}): AgentNode | undefined {
  const alive = read("alive");
  if (alive === undefined || alive["bootID"] !== here.bootID) return undefined;
  const silence = here.uptime - Number(alive["heardAt"]);
  if (!(silence >= 0 && silence <= longestSilence)) return undefined;
  const document = read("node.json");
  const node = document?.["version"] === 1 && isNode(document["node"]) ? document["node"] : undefined;
  return node && here.machineIDs.includes(node.machineID) ? node : undefined;
}

function read(name: string): JsonObject | undefined {
  const text = readOwn(`${folder}/${name}`)?.text;
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // Not ours to mend: the API server is asked instead.
  }
}

function isNode(value: unknown): value is AgentNode {
  if (!isObject(value) || !isObject(value["annotations"]) || !Array.isArray(value["podCIDRs"])) return false;
  return [value["name"], value["uid"], value["machineID"]].every((text) => typeof text === "string");
}
