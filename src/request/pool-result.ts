import { type Ip, parseIp } from "../address/ip.ts";
import { isInside, type PoolPart, type RangeSet, spanOf } from "../address/range.ts";
import { convertResult } from "../cni/result.ts";
import type { CniVersion } from "../cni/versions.ts";
import { isObject, type JsonObject } from "../text/json.ts";

/** The delegate's result with what the pool says of each address: prefix length, gateway or none, routes through it. */
export function withPoolFacts(stdout: string, ipam: JsonObject, asked: CniVersion): string {
  // The one shape of all versions that holds everything.
  const result = convertResult(JSON.parse(stdout) as JsonObject, "1.0.0");
  const sets = ipam["ranges"] as RangeSet[];
  const ips = result["ips"] as JsonObject[];
  const parts = ips.map((ip) => partOf(ip, sets));
  const given = (Array.isArray(result["routes"]) ? result["routes"] : []) as unknown[];
  const routes = [...given, ...routesOf(parts).filter(({ dst }) => !given.some((one) => leadsTo(one, dst)))];
  const whole = {
    ...result,
    ips: ips.map((ip, i) => withFacts(ip, parts[i])),
    ...(routes.length > 0 && { routes }),
  };
  return JSON.stringify(convertResult(whole, asked));
}

function partOf({ address }: JsonObject, sets: RangeSet[]): PoolPart | undefined {
  const ip = parseIp(bare(address));
  return ip && sets.flat().find((range) => isInside(spanOf(range), ip as Ip))?.pool;
}

function withFacts(ip: JsonObject, part: PoolPart | undefined): JsonObject {
  if (!part) return ip;
  const { address, gateway: _, ...rest } = ip;
  const gateway = part.gateway === undefined ? {} : { gateway: part.gateway };
  return { address: `${bare(address)}/${part.prefix}`, ...gateway, ...rest };
}

function bare(address: unknown): string {
  return String(address).split("/")[0] ?? "";
}

function routesOf(parts: (PoolPart | undefined)[]): { dst: string; gw: string }[] {
  return parts.flatMap((part) => {
    const { gateway, routes = [] } = part ?? {};
    return gateway === undefined ? [] : routes.map((dst) => ({ dst, gw: gateway }));
  });
}

/** The configuration's own route to the same network goes before the pool's. */
function leadsTo(route: unknown, dst: string): boolean {
  return isObject(route) && route["dst"] === dst;
}
