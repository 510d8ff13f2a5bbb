import { contains, firstOf, formatCidr, parseCidr } from "../address/cidr.ts";
import { type Ip, parseIp } from "../address/ip.ts";
import { familyOf, type Range, type RangeSet } from "../address/range.ts";
import {
  isObject,
  type JsonObject,
  JsonSyntaxError,
  kindOf,
  type LocatedJson,
  locateJson,
} from "../text/json.ts";
import { didYouMean } from "../text/nearest.ts";
import { quote } from "../text/quote.ts";
import { type Fault, rangeSetsFault, subnetFault } from "./range-rules.ts";

/** What a Node says of a network, in the form that a delegate's `ipam` takes. */
export type NodeRanges = { ranges: RangeSet[]; routes?: JsonObject[] };

/** An annotation that can't be read. `position` counts characters from 1. */
export class AnnotationError extends Error {
  readonly position: number;

  constructor(position: number, words: string) {
    super(`at character ${position}: ${words}`);
    this.name = "AnnotationError";
    this.position = position;
  }
}

/**
 * The value of an annotation: `10.1.0.0/24,fd00::/64` (one or two networks, of different families, order kept),
 * `10.1.0.10-10.1.0.99/24` in the place of one, or JSON: host-local's `ranges`, or an object of `ranges` and `routes`.
 */
export function parseAnnotation(text: string): NodeRanges {
  const first = text.trimStart()[0];
  if (first === undefined)
    throw new AnnotationError(1, "the annotation is empty: expected a network such as 10.1.2.0/24");
  return first === "[" || first === "{" ? parseJsonForm(text) : { ranges: parseList(text) };
}

/** The shortest spelling that parses to the same ranges. */
export function formatAnnotation({ ranges, routes }: NodeRanges): string {
  if (routes) return JSON.stringify({ ranges, routes });
  const short = ranges.map((set) => (set.length === 1 ? formatListed(set[0] as Range) : undefined));
  return isListable(ranges) && !short.includes(undefined) ? short.join(",") : JSON.stringify(ranges);
}

/** A list has at most one network a family. */
function isListable(ranges: RangeSet[]): boolean {
  const [one, two, ...more] = ranges.map((set) => familyOf(set[0] as Range));
  return more.length === 0 && one !== two;
}

function formatListed({ subnet, rangeStart, rangeEnd, gateway }: Range): string | undefined {
  if (gateway !== undefined) return undefined;
  if (rangeStart === undefined && rangeEnd === undefined) return subnet;
  if (rangeStart === undefined || rangeEnd === undefined) return undefined;
  return `${rangeStart}-${rangeEnd}/${subnet.slice(subnet.indexOf("/") + 1)}`;
}

function parseList(text: string): RangeSet[] {
  const items: { range: Range; position: number }[] = [];
  let offset = 0;
  for (const part of text.split(",")) {
    const position = offset + (part.length - part.trimStart().length) + 1;
    items.push({ range: parseItem(part.trim(), position), position });
    offset += part.length + 1;
  }
  const [one, two, three] = items;
  if (three)
    throw new AnnotationError(
      three.position,
      "a third network: expected at most two, one of IPv4 and one of IPv6",
    );
  if (one && two && familyOf(one.range) === familyOf(two.range)) {
    const family = familyOf(one.range);
    throw new AnnotationError(
      two.position,
      `a second IPv${family} network: expected one of each family; several go into JSON`,
    );
  }
  return items.map(({ range }) => [range]);
}

function parseItem(text: string, position: number): Range {
  if (text === "")
    throw new AnnotationError(position, "nothing between commas: expected a network such as 10.1.2.0/24");
  if (text.includes("-")) return parseSpan(text, position);
  const words = subnetFault(text);
  if (words) throw new AnnotationError(position, words);
  return { subnet: text };
}

/** `a.b.c.d-e.f.g.h/len`: the addresses to hand out, and the prefix length that pods get. */
function parseSpan(text: string, position: number): Range {
  const [rangeStart = "", rest = ""] = text.split("-", 2).map((part) => part.trim());
  const [rangeEnd = "", prefix = ""] = rest.split("/", 2).map((part) => part.trim());
  const first = addressAt(rangeStart, position);
  const dash = text.indexOf("-");
  const last = addressAt(rangeEnd, position + text.indexOf(rangeEnd, dash + 1));
  const cidr = parseCidr(`${rangeStart}/${prefix}`);
  if (!cidr || text.split("-").length !== 2) {
    throw new AnnotationError(
      position,
      `${quote(text)}: expected FIRST-LAST/PREFIX, as in 10.1.2.10-10.1.2.99/24`,
    );
  }
  const subnet = formatCidr({ ip: firstOf(cidr), prefix: cidr.prefix });
  const words = subnetFault(subnet);
  if (words) throw new AnnotationError(position, words);
  if (!contains(cidr, last)) throw new AnnotationError(position, `${rangeEnd} is outside of ${subnet}`);
  if (last.value < first.value) throw new AnnotationError(position, `${rangeEnd} comes before ${rangeStart}`);
  return { subnet, rangeStart, rangeEnd };
}

function addressAt(text: string, position: number): Ip {
  const ip = parseIp(text);
  if (!ip) throw new AnnotationError(position, `${quote(text)} is no IP address`);
  return ip;
}

function parseJsonForm(text: string): NodeRanges {
  const located = locate(text);
  const { value } = located;
  const fault = Array.isArray(value) ? rangeSetsFault(value, "") : objectFault(value as JsonObject);
  if (fault) throw new AnnotationError(positionOf(located, fault), describe(fault));
  return Array.isArray(value) ? { ranges: value } : (value as NodeRanges);
}

function describe({ path, words }: Fault): string {
  const shown = path.length > 80 ? `${path.slice(0, 80)}…` : path;
  return shown === "" ? words : `${shown}: ${words}`;
}

function locate(text: string): LocatedJson {
  try {
    return locateJson(text);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw new AnnotationError(error.position + 1, `JSON is malformed: expected ${error.message}`);
  }
}

function positionOf({ positions, keys }: LocatedJson, { path, isKey }: Fault): number {
  return ((isKey ? keys : positions).get(path) ?? 0) + 1;
}

const objectKeys = ["ranges", "routes"];

function objectFault(value: JsonObject): Fault | undefined {
  for (const key of Object.keys(value)) {
    if (!objectKeys.includes(key))
      return {
        path: key,
        isKey: true,
        words: `unknown key${didYouMean(key, objectKeys)}: expected ranges or routes`,
      };
  }
  return rangeSetsFault(value["ranges"], "ranges") ?? routesFault(value["routes"]);
}

/** Routes as in a CNI result: `dst` a network, `gw` an address of its family. */
export function routesFault(routes: unknown): Fault | undefined {
  if (routes === undefined) return undefined;
  if (!Array.isArray(routes)) return { path: "routes", words: `expected an array, found ${kindOf(routes)}` };
  for (const [index, route] of routes.entries()) {
    const fault = routeFault(route, `routes[${index}]`);
    if (fault) return fault;
  }
  return undefined;
}

function routeFault(route: unknown, path: string): Fault | undefined {
  if (!isObject(route))
    return { path, words: `expected a route like {"dst": "10.0.0.0/8"}, found ${kindOf(route)}` };
  const { dst, gw } = route;
  const network = typeof dst === "string" ? parseCidr(dst) : undefined;
  if (!network)
    return {
      path: dst === undefined ? path : `${path}.dst`,
      words: "expected dst to be a network such as 10.0.0.0/8",
    };
  if (gw === undefined) return undefined;
  const gateway = typeof gw === "string" ? parseIp(gw) : undefined;
  if (gateway?.family === network.ip.family) return undefined;
  return { path: `${path}.gw`, words: `expected an address of IPv${network.ip.family}, the family of dst` };
}
