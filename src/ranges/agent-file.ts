import { isObject } from "../text/json.ts";
import { readOwnDocument } from "./own-document.ts";
import { type Refuse, refuseSilently } from "./wanted.ts";

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
export function readAgentFile(
  here: { bootID: string; uptime: number; machineIDs: string[] },
  refuse: Refuse = refuseSilently,
): (AgentNode & { silence: number }) | undefined {
  const alive = readOwnDocument(`${folder}/alive`);
  if (alive === undefined) return refuse("no agent runs here");
  if (alive["bootID"] !== here.bootID) return refuse("its agent ran in an earlier boot");
  const silence = here.uptime - Number(alive["heardAt"]);
  if (!(silence >= 0 && silence <= longestSilence))
    return refuse(`its agent has not heard from the API server within ${longestSilence} s`);
  const document = readOwnDocument(`${folder}/node.json`);
  const node = document?.["version"] === 1 && isNode(document["node"]) ? document["node"] : undefined;
  if (!node) return refuse("it holds no Node that can be read");
  if (!here.machineIDs.includes(node.machineID)) return refuse("its Node is another machine's");
  return { ...node, silence };
}

function isNode(value: unknown): value is AgentNode {
  if (!isObject(value) || !isObject(value["annotations"]) || !Array.isArray(value["podCIDRs"])) return false;
  return [value["name"], value["uid"], value["machineID"]].every((text) => typeof text === "string");
}
