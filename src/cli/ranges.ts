import { formatCidr, network, parseCidr } from "../address/cidr.ts";
import { formatIp } from "../address/ip.ts";
import { formatRange, gatewayOf, spanOf } from "../address/range.ts";
import type { RangeUse } from "../lease/range-use.ts";
import { type Origin, origins, type Step } from "../ranges/wanted.ts";
import type { ReadRequest } from "../request/request.ts";
import { formatAge } from "../terminal/age.ts";
import { formatCount } from "../terminal/count.ts";
import type { Paint } from "../terminal/paint.ts";
import { type Cell, formatTable } from "../terminal/table.ts";
import { type NetworkRange, usesOf } from "../upkeep/range-uses.ts";
import { defineCommand, output } from "./command.ts";
import { confInput, readConfiguration } from "./configuration.ts";
import { readRequest } from "./request.ts";
import { type Search, searchRanges } from "./search.ts";

/** Each source by the name that people know it by. */
const names: Record<Origin, string> = {
  agent: "agent's file",
  fresh: "last answer, while fresh",
  asked: "API server",
  "last-known": "last answer, of any age",
  legacy: "original's kube-node.json",
};

const reasons: Record<Origin, string> = {
  agent: "an agent follows the Node",
  fresh: "it is fresh (ipam.cacheTTL)",
  asked: "it answered",
  "last-known": "the API server is not available",
  legacy: "the API server is not available, and no answer of it is kept",
};

export const ranges = defineCommand({
  name: "ranges",
  summary: "the ranges that an ADD would use now, and why",
  details:
    "Shows each source of ranges in the order in which an ADD tries them, whether it would be taken and why, and how old its word is; then the ranges with their sizes. Asks as an ADD would, and keeps nothing.",
  inputs: {
    conf: confInput,
    output,
  },
  examples: [
    [
      "kube-node ranges /etc/cni/net.d/10-net1.conflist",
      "what pods of a network would get their addresses from",
    ],
    ["kube-node ranges -o json - < net1.conf | jq -r '.ranges[].subnet'", "the ranges alone, for scripts"],
  ],
  fails: "an ADD would find no ranges",
  async run({ conf, output }, terminal) {
    const request = await readRequest(readConfiguration(conf), terminal);
    const search = await searchRanges(request);
    const uses = search.found ? usesOf(request, search.found.ipam) : [];
    const steps = origins.map((origin) => search.steps.find((step) => step.origin === origin) ?? { origin });
    const shown =
      output === "json"
        ? toJson(request, search, steps, uses)
        : toTables(request, search, steps, uses, terminal.paint);
    terminal.say(shown);
    if (search.error) throw search.error;
    return 0;
  },
});

/** A source that the search never came to has neither been taken nor passed over. */
type Looked = Step | { origin: Origin; taken?: undefined };

function toJson(
  { network: { name }, source }: ReadRequest,
  { found, error }: Search,
  steps: Looked[],
  uses: NetworkRange[],
): string {
  const document = {
    network: name,
    source: source.label,
    sources: steps.map(stepJson),
    ...(found && { node: found.node, from: found.origin }),
    ranges: uses.map(({ range, set, size, used, free }) => ({
      ...toldOf(range),
      ...endsOf(range),
      set,
      size: Number(size),
      used: Number(used),
      free: Number(free),
    })),
    ...(error && { error: { code: error.code, message: error.message, details: error.details } }),
  };
  return JSON.stringify(document, null, 2);
}

function stepJson({ origin, ...step }: Looked) {
  const age = "age" in step && step.age !== undefined ? { age: Math.round(step.age) } : {};
  return { source: origin, taken: false, ...step, ...age };
}

/** Of a pool's range what pods are told: the network that host-local gets may be a wider one, and the gateway another. */
function toldOf({ pool, ...range }: RangeUse["range"]) {
  const { gateway: _, ...told } = range;
  const cidr = parseCidr(`${range.rangeStart}/${pool?.prefix}`);
  return pool && cidr ? { ...told, subnet: formatCidr(network(cidr)), block: pool.block } : range;
}

function endsOf(range: RangeUse["range"]) {
  const { first, last } = spanOf(range);
  const gateway = gatewayOf(range);
  return { first: formatIp(first), last: formatIp(last), ...(gateway && { gateway: formatIp(gateway) }) };
}

function toTables(
  { network, source, delegate }: ReadRequest,
  { found }: Search,
  steps: Looked[],
  uses: NetworkRange[],
  paint: Paint,
): string {
  const sources = formatTable(
    ["SOURCE", "AGE", "TAKEN", "WHY"],
    steps.map((step) => describeStep(step, paint)),
  );
  if (!found) return sources;
  const head = `${sources}\n\nNetwork ${network.name}: ${source.label} of Node ${found.node || "(unknown)"}`;
  if (uses.length === 0)
    return `${head}\nNo ranges in host-local's form: kube-node synthesize shows what ${delegate.name} would get.`;
  const table = formatTable(
    ["RANGE", "FIRST", "LAST", "GATEWAY", "SIZE", "USED", "FREE"],
    uses.map(({ range, size, used, free }) => [
      formatRange(range),
      ...ends(range),
      ...[size, used].map(formatCount),
      free > 0n ? formatCount(free) : { text: "0", paint: paint.red },
    ]),
  );
  return `${head}\n\n${table}`;
}

function ends(range: RangeUse["range"]): string[] {
  const { first, last, gateway = "" } = endsOf(range);
  return [first, last, gateway];
}

function describeStep(step: Looked, paint: Paint): Cell[] {
  const name = names[step.origin];
  if (step.taken === undefined) return [name, "", "", { text: "not needed", paint: paint.dim }];
  const age = step.age === undefined ? "" : formatAge(step.age * 1000);
  if (step.taken) return [name, age, { text: "yes", paint: paint.green }, reasons[step.origin]];
  return [name, age, "no", step.why];
}
