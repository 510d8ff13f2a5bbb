import { type Cidr, firstOf, formatCidr, lastOf, network, parseCidr } from "../address/cidr.ts";
import { bitsOf, formatIp, type Ip, parseIp } from "../address/ip.ts";
import { isInside, type Range, type RangeSet, type Span } from "../address/range.ts";
import { AnnotationError } from "../api/annotation.ts";
import {
  type PoolAnnotation,
  type PoolAnnotationBlock,
  parsePoolAnnotation,
  parsePoolRange,
} from "../api/pool-annotation.ts";
import { type PoolKind, poolKinds } from "../api/pool-kind.ts";
import { poolAnnotationKey } from "../api/pool-names.ts";
import { CniError, code } from "../cni/error.ts";
import { quote } from "../text/quote.ts";
import { makeFence } from "./fence.ts";
import type { NodeValue, Source } from "./source.ts";

/**
 * The node's blocks of one pool, or of two: then an address of each. A value that was picked is the Node's UID and each annotation's text,
 * "" for one that the Node doesn't have.
 */
export function pools(kind: PoolKind, names: readonly string[]): Source {
  const keys = names.map((name) => poolAnnotationKey({ kind, name }));
  const label = `${kind} ${names.join(",")}`;
  return {
    label,
    immutable: false,
    keys,
    pick({ uid, annotations }) {
      const texts = keys.map((key) => (Object.hasOwn(annotations, key) ? (annotations[key] as string) : ""));
      return texts.every((text) => text === "") ? null : [uid, ...texts];
    },
    parse(value, node) {
      const [uid, texts] = partsOf(value);
      return {
        ranges: keys.map((key, i) => {
          const pool = `${kind} ${names[i]}`;
          return rangesIn(read(texts[i] ?? "", { key, pool, node, uid }), pool, node);
        }),
      };
    },
    fence: makeFence(label, (value) => Math.min(...partsOf(value)[1].map(holdsFor))),
  };
}

/**
 * The same, but what is found are the annotations themselves, closing blocks and all, by the pools' order: `{ annotations }`. Of a pool
 * that the Node doesn't show it is undefined.
 */
export function poolAnnotations(kind: PoolKind, names: readonly string[]): Source {
  const source = pools(kind, names);
  return {
    ...source,
    parse(value, node) {
      const [uid, texts] = partsOf(value);
      const annotations = source.keys.map((key, i) => {
        const text = texts[i] ?? "";
        return text === "" ? undefined : read(text, { key, pool: `${kind} ${names[i]}`, node, uid });
      });
      return { annotations };
    },
  };
}

/** What host-local is given for one address of a block, whoever has it: the gateway may be a pod. */
export function rangeOfAddress(block: PoolAnnotationBlock, annotation: PoolAnnotation, ip: Ip): Range {
  const address = formatIp(ip);
  const { gateway, ...rest } = block;
  const isGateway = gateway !== undefined && formatIp(parseIp(gateway) as Ip) === address;
  const alone = {
    ...rest,
    ranges: [`${address}-${address}`],
    ...(gateway !== undefined && !isGateway && { gateway }),
  };
  return blockRanges(alone, annotation)[0] as Range;
}

/** A block's ranges for host-local, open or closing. */
export function blockRanges(
  block: PoolAnnotationBlock,
  { routes = [], defaultGateway }: Pick<PoolAnnotation, "routes" | "defaultGateway">,
): Range[] {
  return rangesOf(
    block,
    routes.map(({ dst }) => dst),
    defaultGateway,
  );
}

/** The source that has this label; undefined where none of pools has it. */
export function poolsOfLabel(label: string): Source | undefined {
  const [kind, names] = label.split(" ");
  const known = poolKinds.find((one) => one === kind);
  return known && names ? pools(known, names.split(",")) : undefined;
}

function partsOf(value: NodeValue): [uid: string, texts: string[]] {
  const [uid = "", ...texts] = Array.isArray(value) ? value : [];
  return [uid, texts];
}

/** What can't be read gives no ranges that could be used too long. */
function holdsFor(text: string): number {
  try {
    return parsePoolAnnotation(text).holdsFor;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

type Place = { key: string; pool: string; node: string; uid: string };

function read(text: string, { key, pool, node, uid }: Place): PoolAnnotation {
  if (text === "") {
    const [kind = "", name = ""] = pool.split(" ");
    const hint = `kubectl get ${kind.toLowerCase()} ${name}: is there such a pool, does it select the Node, has it free blocks?`;
    throw new CniError(code.nodeRanges, `Node ${node} has no block of ${pool} (annotation ${key})`, hint);
  }
  const annotation = parse(text, key, node);
  if (annotation.nodeUID === uid) return annotation;
  const hint = `it names the UID ${annotation.nodeUID}, the Node has ${uid}; kube-node-controller writes it anew`;
  throw new CniError(code.nodeRanges, `annotation ${key} of Node ${node} is another Node's`, hint);
}

function parse(text: string, key: string, node: string): PoolAnnotation {
  try {
    return parsePoolAnnotation(text);
  } catch (error) {
    if (!(error instanceof AnnotationError)) throw error;
    const hint = `${error.message}; the value is ${quote(text, 200)}`;
    throw new CniError(code.nodeRanges, `annotation ${key} of Node ${node} is malformed`, hint);
  }
}

/** The open blocks' addresses. */
function rangesIn(annotation: PoolAnnotation, pool: string, node: string): RangeSet {
  const { blocks } = annotation;
  const open = blocks.filter(({ closing }) => !closing);
  const ranges = open.flatMap((block) => blockRanges(block, annotation));
  if (ranges.length > 0) return ranges;
  const isClosing = blocks.length > 0 && open.length === 0;
  const message = isClosing
    ? `Node ${node} gives its block of ${pool} back: pods get no addresses of it any more`
    : `Node ${node} has a block of ${pool} without addresses for pods`;
  const hint = isClosing
    ? `${blocks.map(({ name }) => name).join(", ")} is closing: the pool is deleted, or no longer for this Node`
    : "exclusions and reserved addresses have taken all of it";
  throw new CniError(code.nodeRanges, message, hint);
}

function rangesOf(block: PoolAnnotationBlock, dsts: string[], isDefault: true | undefined): Range[] {
  const spans = block.ranges.map((text) => parsePoolRange(text) as Span);
  const cidr = parseCidr(block.subnet) as Cidr;
  const gateway = block.gateway === undefined ? undefined : parseIp(block.gateway);
  const seat = seatFor(cidr, spans, gateway);
  const routes = isDefault ? [cidr.ip.family === 4 ? "0.0.0.0/0" : "::/0", ...dsts] : dsts;
  return spans.map(({ first, last }) => ({
    subnet: formatCidr(seat.subnet),
    rangeStart: formatIp(first),
    rangeEnd: formatIp(last),
    gateway: formatIp(seat.gateway),
    pool: {
      block: block.name,
      ...(block.first !== undefined && { first: block.first }),
      prefix: cidr.prefix,
      ...(gateway && { gateway: formatIp(gateway) }),
      ...(gateway && routes.length > 0 && { routes }),
    },
  }));
}

/** A network that host-local takes, and a gateway in it: the block's own, else an address of which no pod is deprived. */
export function seatFor(cidr: Cidr, spans: Span[], gateway: Ip | undefined): { subnet: Cidr; gateway: Ip } {
  const isFree = (ip: Ip) => !spans.some((span) => isInside(span, ip));
  for (let prefix = Math.min(cidr.prefix, bitsOf(cidr.ip.family) - 2); ; prefix--) {
    const subnet = network({ ip: cidr.ip, prefix });
    const free = gateway ?? [firstOf(subnet), lastOf(subnet)].find(isFree);
    if (free || prefix === 0) return { subnet, gateway: free ?? firstOf(subnet) };
  }
}
