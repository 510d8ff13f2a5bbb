import type { Pod } from "../cni/environment.ts";
import { CniError, code } from "../cni/error.ts";
import { isObject, type JsonObject } from "../text/json.ts";
import type { ReadRequest } from "./request.ts";

/** A range in which nothing lives (RFC 5737): DEL and CHECK need a valid one, but not the right one. */
export const anyRanges: JsonObject = { ranges: [[{ subnet: "192.0.2.0/29" }]] };

/** `ipam` as the delegate gets it: what the configuration passes on, what the Node says, and the delegate's name. */
export function delegateIpam({ delegate, passedOn, dataDir }: ReadRequest, found: JsonObject): JsonObject {
  const routes = [passedOn["routes"], found["routes"]].filter(Array.isArray);
  return {
    ...passedOn,
    ...(dataDir !== undefined && { dataDir }),
    type: delegate.name,
    ...found,
    ...(routes.length > 1 && { routes: routes.flat() }),
  };
}

/** The network configuration as it came, with another `ipam`. */
export function withIpam({ network }: ReadRequest, ipam: JsonObject): JsonObject {
  return { ...network.raw, ipam };
}

/**
 * IPv4 is for the listed namespaces; where there is no list, for all. A pod of unknown namespace is in none. Without IPv4
 * ranges go the IPv4 routes: there is no address to use them from.
 */
export function gateFamilies(
  ipam: JsonObject,
  namespaces: string[] | undefined,
  pod: Pod,
  node: string,
): JsonObject {
  const { ranges, routes } = ipam;
  const isListed = pod.namespace !== undefined && namespaces?.includes(pod.namespace);
  if (namespaces === undefined || isListed || !Array.isArray(ranges)) return ipam;
  const left = ranges.filter((set: unknown) => !isIPv4(Array.isArray(set) ? set[0] : set, "subnet"));
  if (left.length === 0) throw noFamilyLeft(namespaces, pod, node);
  const routesLeft = Array.isArray(routes)
    ? routes.filter((route: unknown) => !isIPv4(route, "dst"))
    : routes;
  return { ...ipam, ranges: left, ...(routes !== undefined && { routes: routesLeft }) };
}

function noFamilyLeft(namespaces: string[], pod: Pod, node: string): CniError {
  const isForNobody = namespaces.length === 0;
  const namespace = pod.namespace === undefined ? "a pod of unknown namespace" : `namespace ${pod.namespace}`;
  const [which, whom] = isForNobody ? ["no pod may", "every namespace"] : ["this pod may not", namespace];
  return new CniError(
    code.noFamilyLeft,
    `Node ${node} has only IPv4 ranges, and ${which} have IPv4`,
    `ipam.ipv4-namespaces keeps IPv4 from ${whom}, and the Node has no IPv6 range to give instead`,
  );
}

function isIPv4(holder: unknown, key: "subnet" | "dst"): boolean {
  const network = isObject(holder) ? holder[key] : undefined;
  return typeof network === "string" && !network.includes(":");
}
