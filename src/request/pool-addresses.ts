import { parseCidr } from "../address/cidr.ts";
import { formatIp, type Ip, parseIp } from "../address/ip.ts";
import {
  formatRange,
  gatewayOf,
  isInside,
  type Range,
  type RangeSet,
  type Span,
  spanOf,
} from "../address/range.ts";
import type { CallArguments, Environment } from "../cni/environment.ts";
import { CniError, code } from "../cni/error.ts";
import type { Network } from "../cni/network.ts";
import { seatFor } from "../ranges/pool-source.ts";
import { fold } from "../text/fold.ts";
import { isObject, type JsonObject } from "../text/json.ts";
import { quote } from "../text/quote.ts";
import type { Args } from "./pools.ts";
import { readKey, readKeyAs } from "./read-key.ts";

/** Which addresses a pod asks for: those in `ips`, the one at an index of each block, or each pool's gateway. `by` is where it says so. */
export type AskedAddress =
  | { ips: Ip[]; by: string }
  | { index: number; by: string }
  | { gateway: true; by: string };

/** runtimeConfig.ips before args.cni.ips before IP in CNI_ARGS; nv-ipam's two other ways exclude those and one another. */
export function readAsked(args: Args, { raw }: Network, env: CallArguments): AskedAddress | undefined {
  const isIndex = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  const isSwitch = (value: unknown): value is boolean => typeof value === "boolean";
  const index = args("allocateIPWithIndex", isIndex, "a number from 0 on");
  const gateway = args("allocateDefaultGateway", isSwitch, "true or false");
  const ips = ipsIn(raw["runtimeConfig"]) ?? args("ips", isTextList, "a list of addresses") ?? [];
  const fromEnvironment = env.get("IP") ?? "";
  const given = ips.length > 0 ? ips : fromEnvironment === "" ? [] : [fromEnvironment];
  const asked: AskedAddress[] = [
    ...(given.length > 0 ? [{ ips: given.map(toIp), by: placeOf(raw, ips) }] : []),
    ...(index === undefined ? [] : [{ index, by: "args.cni.allocateIPWithIndex" }]),
    ...(gateway === true ? [{ gateway: true as const, by: "args.cni.allocateDefaultGateway" }] : []),
  ];
  const [one, other] = asked;
  if (one && other)
    throw new CniError(
      code.invalidConfig,
      `${one.by} and ${other.by} exclude one another`,
      "write one of them",
    );
  return one;
}

function ipsIn(runtimeConfig: unknown): string[] | undefined {
  return readKeyAs(runtimeConfig, "ips", "runtimeConfig", isTextList, "a list of addresses");
}

function placeOf(raw: JsonObject, ips: string[]): string {
  if (ips.length === 0) return "IP in CNI_ARGS";
  return ipsIn(raw["runtimeConfig"]) ? "runtimeConfig.ips" : "args.cni.ips";
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

/** A prefix length behind it is the pool's business. */
function toIp(text: string): Ip {
  const ip = parseIp(text.split("/")[0] ?? "");
  if (ip) return ip;
  throw new CniError(
    code.invalidConfig,
    `${quote(text)} is asked for, which is no IP address`,
    "expected 10.1.2.3",
  );
}

type Place = { ipam: JsonObject; pool: string; node: string; network: Network; env: Environment };

/** What the delegate is given: the ranges, its configuration with the addresses that are asked for, and its environment. */
export type Asking = { ipam: JsonObject; raw: JsonObject; env: Environment };

/** host-local reads addresses from three places and wants all of them: it finds those that count at one. */
export function askDelegate(asked: AskedAddress | undefined, place: Place): Asking {
  const { ipam, network, env } = place;
  if (!asked) return { ipam, raw: network.raw, env };
  const sets = ipam["ranges"] as RangeSet[];
  if ("ips" in asked) {
    for (const ip of asked.ips) refuseStranger(ip, asked.by, sets, place);
    return { ipam, raw: withIps(network.raw, asked.ips), env: withoutIp(env) };
  }
  const ips = sets.map((set) =>
    "index" in asked ? atIndex(set, asked.index, place) : gatewayIn(set, asked.by, place),
  );
  const ranges = "gateway" in asked ? sets.map((set) => set.map(withoutGateway)) : sets;
  return { ipam: { ...ipam, ranges }, raw: withIps(network.raw, ips), env: withoutIp(env) };
}

/** An address outside of the block may be another node's: host-local would not know. */
function refuseStranger(ip: Ip, by: string, sets: RangeSet[], { pool, node }: Place): void {
  const range = sets.flat().find((one) => isInside(spanOf(one), ip));
  if (!range)
    throw new CniError(
      code.requestedAddress,
      `${formatIp(ip)} is not in Node ${node}'s block of ${pool}`,
      `${by} asks for it; the Node has ${sets.flat().map(formatRange).join(", ")}`,
    );
  if (gatewayOf(range)?.value === ip.value)
    throw new CniError(
      code.requestedAddress,
      `${formatIp(ip)} is the gateway of ${pool}`,
      `${by} asks for it; who is to be the gateway asks by args.cni.allocateDefaultGateway`,
    );
}

/** Counted from the block's first address, those that are excluded too, as nv-ipam does. */
function atIndex(set: RangeSet, index: number, { pool, node }: Place): Ip {
  const { first } = spanOf(set[0] as Range);
  const ip = { ...first, value: startOf(set[0] as Range, first) + BigInt(index) };
  const range = set.find((one) => isInside(spanOf(one), ip));
  const asks = `args.cni.allocateIPWithIndex asks for index ${index}`;
  if (!range)
    throw new CniError(
      code.requestedAddress,
      `there is no address at index ${index} of Node ${node}'s block of ${pool}`,
      `${asks}; pods get ${set.map(formatRange).join(", ")}`,
    );
  if (gatewayOf(range)?.value === ip.value)
    throw new CniError(
      code.requestedAddress,
      `${formatIp(ip)} is the gateway of ${pool}`,
      `${asks}; who is to be the gateway asks by args.cni.allocateDefaultGateway`,
    );
  return ip;
}

function startOf({ pool }: Range, { value }: Ip): bigint {
  const given = pool?.first === undefined ? undefined : parseIp(pool.first);
  return given?.value ?? value;
}

function gatewayIn(set: RangeSet, by: string, { pool, node }: Place): Ip {
  const range = set.find((one) => isInside(spanOf(one), gatewayOf(one) ?? { family: 4, value: -1n }));
  const gateway = range && gatewayOf(range);
  if (gateway) return gateway;
  const has = set.some((one) => gatewayOf(one)) ? "is in another node's block" : "doesn't exist";
  throw new CniError(
    code.requestedAddress,
    `Node ${node} can't give a pod the gateway of ${pool}: it ${has}`,
    `${by} asks for it`,
  );
}

/** host-local gives a gateway to nobody: where a pod is to be it, another address stands in for it, and pods are told of none. */
function withoutGateway(range: Range, _: number, set: RangeSet): Range {
  const subnet = parseCidr(range.subnet);
  if (!subnet || !range.pool) return range;
  const spans: Span[] = set.map(spanOf);
  const seat = seatFor(subnet, spans, undefined);
  const { gateway: _gateway, routes: _routes, ...pool } = range.pool;
  const seated = `${formatIp(seat.subnet.ip)}/${seat.subnet.prefix}`;
  return { ...range, subnet: seated, gateway: formatIp(seat.gateway), pool };
}

function withIps(raw: JsonObject, ips: Ip[]): JsonObject {
  const args = without(raw["args"], "cni");
  const cni = without(readKey(raw["args"], "cni", "args"), "ips");
  const runtimeConfig = isObject(raw["runtimeConfig"])
    ? { runtimeConfig: without(raw["runtimeConfig"], "ips") }
    : {};
  return { ...raw, ...runtimeConfig, args: { ...args, cni: { ...cni, ips: ips.map(formatIp) } } };
}

function without(object: unknown, name: string): JsonObject {
  if (!isObject(object)) return {};
  return Object.fromEntries(Object.entries(object).filter(([key]) => fold(key) !== name));
}

/** The same environment where nothing changes: for this one host-local has been started already. */
function withoutIp(env: Environment): Environment {
  const args = env["CNI_ARGS"] ?? "";
  const left = args.split(";").filter((pair) => !pair.startsWith("IP="));
  return left.length === args.split(";").length ? env : { ...env, CNI_ARGS: left.join(";") };
}
