import { type Cidr, contains, formatCidr, hasHostBits, network, parseCidr } from "../address/cidr.ts";
import { isV4Mapped, parseIp } from "../address/ip.ts";
import type { Span } from "../address/range.ts";
import { isObject, type JsonObject, JsonSyntaxError, kindOf, locateJson } from "../text/json.ts";
import { quote } from "../text/quote.ts";
import { AnnotationError } from "./annotation.ts";

/**
 * What a Node's annotation `ippool.ipam.kube-node.io/NAME` (or `cidrpool.…`) says: written by the controller from NodeBlocks, read by the
 * plugin and the agent. JSON of this shape.
 */
export type PoolAnnotation = {
  version: 1;
  /** The Node's UID: on a Node made again under its name, another one's annotation counts for nothing. */
  nodeUID: string;
  /** Seconds that its ranges may be used without a word of the API server: less than `blockReleaseDelay`. */
  holdsFor: number;
  /** In the order in which addresses are given. */
  blocks: PoolAnnotationBlock[];
  /** Networks that pods reach through the block's gateway. */
  routes?: { dst: string }[];
  /** The block's gateway is the pods' default gateway. */
  defaultGateway?: true;
};

export type PoolAnnotationBlock = {
  /** The NodeBlock's name: `ippool.a.3`. */
  name: string;
  /** The network whose prefix length pods get: the IPPool's subnet, or the node's own of a CIDRPool. */
  subnet: string;
  /** Addresses for pods, `FIRST-LAST`, ascending: exclusions and reserved ones are left out, the gateway's isn't. */
  ranges: string[];
  /** The block's first address, where `ranges` don't begin with it: pods' `allocateIPWithIndex` counts from there. */
  first?: string;
  gateway?: string;
  /** Pods get no addresses of it any more; those that have some keep them. */
  closing?: true;
};

/** A key path (`blocks[0].subnet`, "" for the whole) and what is wrong there. */
class Misfit extends Error {
  readonly path: string;

  constructor(path: string, words: string) {
    super(words);
    this.path = path;
  }
}

/** Throws an AnnotationError that says where and what was expected. Keys that a later release may add are passed over. */
export function parsePoolAnnotation(text: string): PoolAnnotation {
  try {
    return readPoolAnnotation(JSON.parse(text));
  } catch (error) {
    throw misfitAt(text, error);
  }
}

/** What it says of the Node of that UID; undefined where it is malformed, or another Node's. */
export function readOwnPoolAnnotation(text: string, nodeUID: string): PoolAnnotation | undefined {
  try {
    const annotation = parsePoolAnnotation(text);
    return annotation.nodeUID === nodeUID ? annotation : undefined;
  } catch (error) {
    if (error instanceof AnnotationError) return undefined;
    throw error;
  }
}

/** The annotation's value: keys in one order, so that what is the same is the same text. */
export function formatPoolAnnotation(annotation: PoolAnnotation): string {
  const { version, nodeUID, holdsFor, blocks, routes, defaultGateway } = annotation;
  return JSON.stringify({
    version,
    nodeUID,
    holdsFor,
    blocks: blocks.map(({ name, subnet, ranges, first, gateway, closing }) => ({
      ...{ name, subnet, ranges },
      ...(first !== undefined && { first }),
      ...(gateway !== undefined && { gateway }),
      ...(closing && { closing }),
    })),
    ...(routes && routes.length > 0 && { routes: routes.map(({ dst }) => ({ dst })) }),
    ...(defaultGateway && { defaultGateway }),
  });
}

/** The addresses that a `FIRST-LAST` of a block stands for; undefined where it is no such text. */
export function parsePoolRange(text: string): Span | undefined {
  const dash = text.indexOf("-");
  const first = parseIp(text.slice(0, Math.max(dash, 0)));
  const last = parseIp(text.slice(dash + 1));
  if (!first || !last || first.family !== last.family || last.value < first.value) return undefined;
  return { first, last };
}

/** Malformed JSON, and a misfit in it, both told by the character where it stands, counted from 1. */
function misfitAt(text: string, error: unknown): unknown {
  if (!(error instanceof Misfit || error instanceof SyntaxError)) return error;
  try {
    const { positions } = locateJson(text);
    if (!(error instanceof Misfit)) return error;
    const parent = error.path.replace(/(\.[^.[]*|\[\d+\])$/, "");
    const position = positions.get(error.path) ?? positions.get(parent) ?? 0;
    const where = error.path === "" ? "" : `${error.path}: `;
    return new AnnotationError(position + 1, `${where}${error.message}`);
  } catch (malformed) {
    if (!(malformed instanceof JsonSyntaxError)) throw malformed;
    return new AnnotationError(malformed.position + 1, `JSON is malformed: expected ${malformed.message}`);
  }
}

function readPoolAnnotation(value: unknown): PoolAnnotation {
  if (!isObject(value)) throw new Misfit("", `expected an object, found ${kindOf(value)}`);
  const { version, nodeUID, holdsFor, blocks, routes, defaultGateway } = value;
  if (version !== 1)
    throw new Misfit(
      "version",
      `expected 1, found ${shown(version)}; is the controller newer than the plugin?`,
    );
  if (typeof nodeUID !== "string" || nodeUID === "")
    throw new Misfit("nodeUID", `expected the Node's UID, found ${shown(nodeUID)}`);
  if (typeof holdsFor !== "number" || !(holdsFor >= 0))
    throw new Misfit("holdsFor", `expected seconds, found ${shown(holdsFor)}`);
  if (!Array.isArray(blocks)) throw new Misfit("blocks", `expected an array, found ${kindOf(blocks)}`);
  const read = blocks.map((block, i) => readBlock(block, `blocks[${i}]`));
  refuseOverlaps(read);
  const family = read[0]?.subnet.includes(":");
  const dsts = isAbsent(routes) ? undefined : readRoutes(routes, family);
  if (!isAbsent(defaultGateway) && typeof defaultGateway !== "boolean")
    throw new Misfit("defaultGateway", `expected true, found ${shown(defaultGateway)}`);
  return {
    ...{ version, nodeUID, holdsFor, blocks: read },
    ...(dsts && dsts.length > 0 && { routes: dsts }),
    ...(defaultGateway === true && { defaultGateway }),
  };
}

function readBlock(block: unknown, path: string): PoolAnnotationBlock {
  if (!isObject(block)) throw new Misfit(path, `expected an object, found ${kindOf(block)}`);
  const { name, ranges, first, gateway, closing } = block;
  if (typeof name !== "string" || name === "")
    throw new Misfit(`${path}.name`, `expected a NodeBlock's name, found ${shown(name)}`);
  const { subnet, cidr } = readSubnet(block, `${path}.subnet`);
  if (!Array.isArray(ranges))
    throw new Misfit(`${path}.ranges`, `expected an array of FIRST-LAST, found ${kindOf(ranges)}`);
  for (const [i, range] of ranges.entries()) checkRange(range, cidr, subnet, `${path}.ranges[${i}]`);
  for (const [key, value] of Object.entries({ first, gateway }))
    if (!isAbsent(value)) checkAddress(value, cidr, subnet, `${path}.${key}`);
  if (!isAbsent(closing) && typeof closing !== "boolean")
    throw new Misfit(`${path}.closing`, `expected true, found ${shown(closing)}`);
  return {
    ...{ name, subnet, ranges: ranges as string[] },
    ...(typeof first === "string" && { first }),
    ...(typeof gateway === "string" && { gateway }),
    ...(closing === true && { closing }),
  };
}

function readSubnet({ subnet }: JsonObject, path: string): { subnet: string; cidr: Cidr } {
  const cidr = typeof subnet === "string" ? parseCidr(subnet) : undefined;
  if (!cidr) throw new Misfit(path, `expected a network such as 10.1.2.0/24, found ${shown(subnet)}`);
  if (isV4Mapped(cidr.ip))
    throw new Misfit(path, `${subnet} is an IPv4 network written as IPv6: write it as IPv4`);
  if (hasHostBits(cidr))
    throw new Misfit(path, `${subnet} has host bits set: write ${formatCidr(network(cidr))}`);
  return { subnet: subnet as string, cidr };
}

function checkRange(range: unknown, cidr: Cidr, subnet: string, path: string): void {
  const span = typeof range === "string" ? parsePoolRange(range) : undefined;
  if (!span) throw new Misfit(path, `expected FIRST-LAST, as in 10.1.2.1-10.1.2.9, found ${shown(range)}`);
  if (!contains(cidr, span.first) || !contains(cidr, span.last))
    throw new Misfit(path, `${range} is outside of ${subnet}`);
}

function checkAddress(text: unknown, cidr: Cidr, subnet: string, path: string): void {
  const ip = typeof text === "string" ? parseIp(text) : undefined;
  if (!ip) throw new Misfit(path, `expected an address, found ${shown(text)}`);
  if (!contains(cidr, ip)) throw new Misfit(path, `${text} is outside of ${subnet}`);
}

/** host-local refuses ranges that overlap, and families that are mixed. */
function refuseOverlaps(blocks: PoolAnnotationBlock[]): void {
  const all = blocks.flatMap(({ ranges }, i) =>
    ranges.map((text, j) => ({
      path: `blocks[${i}].ranges[${j}]`,
      text,
      span: parsePoolRange(text) as Span,
    })),
  );
  const odd = blocks.findIndex(({ subnet }) => subnet.includes(":") !== blocks[0]?.subnet.includes(":"));
  if (odd >= 0) throw new Misfit(`blocks[${odd}].subnet`, "IPv4 and IPv6 in one pool");
  all.sort((a, b) => (a.span.first.value < b.span.first.value ? -1 : 1));
  for (const [i, one] of all.entries()) {
    const before = all[i - 1];
    if (before && one.span.first.value <= before.span.last.value)
      throw new Misfit(one.path, `${one.text} overlaps with ${before.text} of ${before.path}`);
  }
}

function readRoutes(routes: unknown, isV6: boolean | undefined): { dst: string }[] {
  if (!Array.isArray(routes)) throw new Misfit("routes", `expected an array, found ${kindOf(routes)}`);
  return routes.map((route: unknown, i) => {
    const dst = isObject(route) ? route["dst"] : undefined;
    if (typeof dst !== "string" || !parseCidr(dst))
      throw new Misfit(`routes[${i}].dst`, `expected a network such as 10.0.0.0/8, found ${shown(dst)}`);
    if (isV6 !== undefined && dst.includes(":") !== isV6)
      throw new Misfit(`routes[${i}].dst`, `${dst} is not of the blocks' family`);
    return { dst };
  });
}

/** Null means absent, as in Kubernetes. */
function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function shown(value: unknown): string {
  return typeof value === "string"
    ? quote(value, 60)
    : typeof value === "number"
      ? String(value)
      : kindOf(value);
}
