import { type Cidr, firstOf, formatCidr, sizeOf } from "../address/cidr.ts";
import { bitsOf, formatIp, parseIp } from "../address/ip.ts";
import { countOf, overlaps, type Range, type Span } from "../address/range.ts";
import { keysOfNetworks } from "../survey/network.ts";
import type { BlockView, PoolView } from "../survey/pool-view.ts";
import type { Survey } from "../survey/survey.ts";
import { count, formatCount } from "./numbers.ts";
import { spanOfSection } from "./sections.ts";
import { clip } from "./segments.ts";
import { type Block, chartBlocks, type Holder, poolBlockOf, type Territory } from "./territory.ts";

/** A pool with its whole grid: what nodes have of it, what is closing, excluded and free, and the pods' addresses. */
export function chartPool(
  view: PoolView,
  { networks, pods }: Pick<Survey, "networks" | "pods">,
  key: string,
  within: Cidr[] = [],
): Territory {
  const whole = view.plan ? [view.plan.network] : [];
  const shown = within.length > 0 ? within : whole;
  const keys = keysOfNetworks(networks);
  const holders = pods.flatMap(({ address, namespace, pod, node, network }): Holder[] => {
    const ip = parseIp(address);
    return ip && keys.get(network)?.has(key) ? [{ address: ip, pod: `${namespace}/${pod}`, node }] : [];
  });
  const territory = chartBlocks(
    view.blocks.map((one) => toBlock(one, view.plan?.network)),
    holders,
    shown,
  );
  const excluded = view.plan?.excluded ?? [];
  return {
    ...territory,
    summary: summarize(view),
    sections: territory.sections.map((section) => {
      const whole = spanOfSection(section);
      const own = excluded.filter((span) => overlaps(span, whole)).map((span) => clip(span, whole));
      return own.length > 0 ? { ...section, excluded: own } : section;
    }),
  };
}

function toBlock(view: BlockView, network: Cidr | undefined): Block {
  const { name, node, span, forPods, gateway, closing } = view;
  const own = networkOf(span);
  const whole = own ?? network ?? around(span);
  const range: Range = {
    subnet: formatCidr(whole),
    ...(!own && { rangeStart: formatIp(span.first), rangeEnd: formatIp(span.last) }),
    pool: { block: name, prefix: whole.prefix, ...(gateway && { gateway: formatIp(gateway) }) },
  };
  return poolBlockOf(node, range, forPods, closing);
}

/** The network that a span is; undefined where it is none. */
function networkOf(span: Span): Cidr | undefined {
  const cidr = around(span);
  return sizeOf(cidr) === countOf(span) ? cidr : undefined;
}

/** The smallest network that holds a span. */
function around({ first, last }: Span): Cidr {
  const differing = (first.value ^ last.value).toString(2);
  const prefix = bitsOf(first.family) - (differing === "0" ? 0 : differing.length);
  return { ip: firstOf({ ip: first, prefix }), prefix };
}

/** `16 blocks: 3 given, 1 closing, 12 free`, as far as that is known. */
function summarize({ blocks, plan }: PoolView): string {
  const closing = blocks.filter((one) => one.closing).length;
  const given = `${formatCount(blocks.length - closing)} given, ${formatCount(closing)} closing`;
  if (!plan) return `${count(blocks.length, "block")}: ${given}; what is free isn't known`;
  const excluded = plan.excluded.reduce((sum, span) => sum + countOf(span), 0n);
  const more = excluded === 0n ? "" : `; ${count(excluded, "address", "addresses")} excluded`;
  return `${count(plan.total, "block")}: ${given}, ${formatCount(plan.free)} free${more}`;
}
