import type { Pod } from "../cni/environment.ts";
import type { Found } from "../ranges/node-ranges.ts";
import { delegateIpam, gateFamilies, withIpam } from "../request/delegate-config.ts";
import type { ReadRequest } from "../request/request.ts";
import { formatTable } from "../terminal/table.ts";
import { isObject, type JsonObject } from "../text/json.ts";
import { defineCommand } from "./command.ts";
import { confInput, readConfiguration } from "./configuration.ts";
import { podInputs, readPod } from "./pod.ts";
import { readRequest } from "./request.ts";
import { searchRanges } from "./search.ts";

export const synthesize = defineCommand({
  name: "synthesize",
  summary: "the configuration that the delegate would get, and which key came from where",
  details:
    "The configuration goes to standard output, where its keys came from to standard error. Asks as an ADD would, keeps nothing, and calls no delegate.",
  inputs: {
    conf: confInput,
    ...podInputs,
  },
  examples: [
    ["kube-node synthesize /etc/cni/net.d/10-net1.conflist", "what host-local would get for a network"],
    ["kube-node synthesize --namespace=db net1.conf", "the same for a pod of a namespace that may have IPv4"],
    ["kube-node synthesize net1.conf 2>/dev/null | jq .ipam.ranges", "its ranges alone"],
  ],
  fails: "an ADD would not come to its delegate",
  async run({ conf, ...whose }, terminal) {
    const pod = readPod(whose);
    const request = await readRequest(readConfiguration(conf), terminal);
    const { found, error } = await searchRanges(request);
    if (!found) throw error;
    const made = make(request, found, pod);
    terminal.say(JSON.stringify(withIpam(request, made.ipam), null, 2));
    terminal.note(`\n${formatTable(["KEY", "FROM"], trace(request, found, made))}`);
    for (const note of gatingNotes(request, made, pod)) terminal.note(note);
    return 0;
  },
});

/** What the Node gave, and the delegate's `ipam` before and after the gating. */
type Made = { given: JsonObject; ungated: JsonObject; ipam: JsonObject };

function make(request: ReadRequest, found: Found, pod: Pod): Made {
  const given = request.prepare(found.ipam);
  const ungated = delegateIpam(request, given);
  return { given, ungated, ipam: gateFamilies(ungated, request.ipv4Namespaces, pod, found.node) };
}

/** Each key of the configuration with where it came from; last those that went no further. */
function trace(request: ReadRequest, found: Found, made: Made): string[][] {
  const { raw } = request.network;
  const own = Object.keys(raw).filter((key) => key !== "ipam");
  const passed = Object.keys(made.ipam);
  const kept = Object.keys(isObject(raw["ipam"]) ? raw["ipam"] : {}).filter((key) => !passed.includes(key));
  return [
    ...own.map((key) => [key, "configuration"]),
    ...passed.map((key) => [`ipam.${key}`, originOf(key, request, found, made)]),
    ...kept.map((key) => [`ipam.${key}`, "configuration; for us, not passed on"]),
  ];
}

const times: Record<Found["origin"], string> = {
  agent: "by the agent's file",
  fresh: "by the last answer, still fresh",
  asked: "asked now",
  "last-known": "as last known",
  legacy: "by the original's kube-node.json",
};

function originOf(key: string, request: ReadRequest, found: Found, { given, ungated, ipam }: Made): string {
  if (key === "type" && !Object.hasOwn(given, key))
    return request.delegate.name === "host-local"
      ? "the delegate, host-local by default"
      : "the delegate, nextipam";
  if (!Object.hasOwn(given, key)) return "configuration";
  const node = found.node === "" ? "the Node" : `Node ${found.node}`;
  const source = `${request.source.label} of ${node}, ${times[found.origin]}`;
  const isJoined = key === "routes" && Array.isArray(request.passedOn[key]);
  const gated = JSON.stringify(ungated[key]) === JSON.stringify(ipam[key]) ? "" : "; IPv4 taken out";
  return `${isJoined ? "configuration, then " : ""}${source}${gated}`;
}

function gatingNotes({ ipv4Namespaces }: ReadRequest, { ungated, ipam }: Made, { namespace }: Pod): string[] {
  if (ipv4Namespaces === undefined || ungated === ipam) return [];
  const who =
    namespace === undefined
      ? "a pod of unknown namespace (name it by --namespace)"
      : `namespace ${namespace}`;
  return [
    `\nIPv4 is for the namespaces ${ipv4Namespaces.join(", ") || "(none)"} alone, by ipam.ipv4-namespaces: not for ${who}.`,
  ];
}
