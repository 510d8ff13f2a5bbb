import { isObject, type JsonObject } from "../text/json.ts";
import { type CniVersion, isAtLeast } from "./versions.ts";

type Ips = { address: string; gateway?: unknown }[];

/** An IPAM result with at least one address? Both of the shapes that the specification had over time. */
export function hasAddresses(result: unknown): result is JsonObject {
  if (!isObject(result)) return false;
  if (Array.isArray(result["ips"])) {
    return (
      result["ips"].length > 0 &&
      result["ips"].every((ip) => isObject(ip) && typeof ip["address"] === "string")
    );
  }
  const given = [result["ip4"], result["ip6"]].filter((ip) => ip !== undefined && ip !== null);
  return given.length > 0 && given.every((ip) => isObject(ip) && typeof ip["ip"] === "string");
}

/** The same result in the shape of another version (SPEC.md's change of ip4/ip6 to ips, and of ips[].version). */
export function convertResult(result: JsonObject, to: CniVersion): JsonObject {
  const { cniVersion: _, ip4, ip6, ips, routes, ...rest } = result;
  const all = Array.isArray(ips) ? (ips as Ips) : [ip4, ip6].flatMap(toIps);
  const allRoutes = Array.isArray(ips)
    ? Array.isArray(routes)
      ? (routes as unknown[])
      : []
    : [ip4, ip6].flatMap(routesOf);
  if (!isAtLeast(to, "0.3.0")) return { cniVersion: to, ...toOldShape(all, allRoutes), ...rest };
  const shaped = all.map(({ address, gateway, ...more }) => {
    const { version: _version, ...others } = more as JsonObject;
    const version = isAtLeast(to, "1.0.0") ? {} : { version: isV6(address) ? "6" : "4" };
    return { ...version, address, ...(gateway !== undefined && { gateway }), ...others };
  });
  return {
    cniVersion: to,
    ips: shaped,
    ...(allRoutes.length > 0 && { routes: allRoutes }),
    ...rest,
  };
}

function isV6(text: unknown): boolean {
  return typeof text === "string" && text.includes(":");
}

function toIps(old: unknown): Ips {
  if (!isObject(old)) return [];
  return [{ address: old["ip"] as string, ...(old["gateway"] !== undefined && { gateway: old["gateway"] }) }];
}

function routesOf(old: unknown): unknown[] {
  return isObject(old) && Array.isArray(old["routes"]) ? old["routes"] : [];
}

/** One address a family is all the old shape holds: the first of each. */
function toOldShape(ips: Ips, routes: unknown[]): JsonObject {
  const part = (v6: boolean) => {
    const ip = ips.find(({ address }) => isV6(address) === v6);
    const own = routes.filter((route) => isObject(route) && isV6(route["dst"]) === v6);
    if (!ip) return {};
    const { address, gateway } = ip;
    const shape = {
      ip: address,
      ...(gateway !== undefined && { gateway }),
      ...(own.length > 0 && { routes: own }),
    };
    return { [v6 ? "ip6" : "ip4"]: shape };
  };
  return { ...part(false), ...part(true) };
}
