import type { RangeSet } from "../address/range.ts";
import { rangeSetsFault } from "../api/range-rules.ts";
import { isObject, type JsonObject, parseJson } from "../text/json.ts";

/** A file of a node's folder of CNI configurations. */
export type NodeFile = { node: string; path: string; text: string };

/** Ranges that somebody wrote by hand for one node. `notes` say what of the configuration isn't among them. */
export type HandRanges = { node: string; path: string; network: string; ranges: RangeSet[]; notes: string[] };

/** What a file says: ranges of host-local's; others' configurations, which stay as they are; and what can't be taken. */
export type ReadFile = { ranges: HandRanges[]; others: string[]; doubts: string[] };

/** A configuration, or a list of them, as a runtime reads it. */
export function readHandRanges({ node, path, text }: NodeFile): ReadFile {
  const read: ReadFile = { ranges: [], others: [], doubts: [] };
  const raw = parse(text);
  if (!isObject(raw)) return { ...read, doubts: [`${path}: expected a CNI configuration, as a JSON object`] };
  const network = raw["name"];
  for (const plugin of Array.isArray(raw["plugins"]) ? raw["plugins"] : [raw]) {
    const ipam = isObject(plugin) ? plugin["ipam"] : undefined;
    if (!isObject(ipam) || ipam["type"] === undefined) continue;
    if (ipam["type"] !== "host-local") {
      read.others.push(`${path}: ipam of type ${String(ipam["type"])}, not host-local: it stays as it is`);
      continue;
    }
    const ranges = rangesOf(ipam);
    const fault = typeof ranges === "string" ? ranges : faultOf(ranges);
    if (typeof network !== "string" || network === "")
      read.doubts.push(`${path}: a configuration without a name`);
    else if (fault !== undefined || typeof ranges === "string") read.doubts.push(`${path}: ${fault}`);
    else read.ranges.push({ node, path, network, ranges, notes: notesOn(ipam, path) });
  }
  return read;
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

const legacy = ["subnet", "rangeStart", "rangeEnd", "gateway"];

/** host-local puts the range that stands in `ipam` itself before those of `ranges`. */
function rangesOf(ipam: JsonObject): RangeSet[] | string {
  const single = legacy.filter((key) => ipam[key] !== undefined);
  const own = Object.fromEntries(single.map((key) => [key, ipam[key]]));
  const listed = ipam["ranges"] ?? [];
  if (!Array.isArray(listed)) return "ipam.ranges: expected an array of range sets";
  const all: unknown[] = [...(single.length > 0 ? [[own]] : []), ...listed];
  return all.length === 0 ? "host-local without ranges: nothing to import" : (all as RangeSet[]);
}

function faultOf(ranges: RangeSet[]): string | undefined {
  if (ranges.flat().some((range) => isObject(range) && range["subnet"] === "usePodCidr"))
    return "usePodCidr: the ranges are the Node's podCIDRs, which kube-node uses without an annotation";
  const fault = rangeSetsFault(ranges, "ranges");
  return fault && `${fault.path === "" ? "" : `${fault.path}: `}${fault.words}`;
}

function notesOn(ipam: JsonObject, path: string): string[] {
  const { dataDir, routes, resolvConf } = ipam;
  return [
    ...(typeof dataDir === "string" ? [`${path}: keep "dataDir": ${JSON.stringify(dataDir)}`] : []),
    ...(Array.isArray(routes) && routes.length > 0
      ? [`${path}: keep "routes": ${JSON.stringify(routes)}`]
      : []),
    ...(resolvConf === undefined ? [] : [`${path}: keep "resolvConf": ${JSON.stringify(resolvConf)}`]),
  ];
}
