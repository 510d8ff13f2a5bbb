import { firstOf, parseCidr } from "../../src/address/cidr.ts";
import { formatIp, type Ip, parseIp } from "../../src/address/ip.ts";
import { parseAnnotation } from "../../src/api/annotation.ts";
import { chart, type Holder, type NodeWithRanges, type Territory } from "../../src/map/territory.ts";

/** `10.1.2.3`, or an error where it is none. */
function ip(text: string): Ip {
  const found = parseIp(text);
  if (!found) throw new Error(`not an address: ${text}`);
  return found;
}

/** Nodes as their annotations have it, and pods: `namespace/name@node` → addresses. */
export type World = { nodes: Record<string, string>; pods?: Record<string, string[]>; cidrs?: string[] };

export function territoryOf({ nodes, pods = {}, cidrs = [] }: World): Territory {
  return chart(
    Object.entries(nodes).map(([name, text]) => readNode(name, text)),
    Object.entries(pods).flatMap(([key, addresses]): Holder[] => {
      const [pod = "", node = ""] = key.split("@");
      return addresses.map((address) => ({ address: ip(address), pod, node }));
    }),
    cidrs.flatMap((text) => parseCidr(text) ?? []),
  );
}

function readNode(name: string, text: string): NodeWithRanges {
  try {
    return { name, ranges: parseAnnotation(text).ranges.flat() };
  } catch (error) {
    return { name, fault: (error as Error).message };
  }
}

/** `count` nodes with blocks one after the other out of each network (`172.20.0.0/16 /24`), and `use(index)` pods on each. */
export function rowOfNodes(count: number, networks: string[], use: (index: number) => number): World {
  const bases = networks.map((text) => {
    const [network = "", size = ""] = text.split(" ");
    const cidr = parseCidr(network);
    if (!cidr) throw new Error(`not a network: ${network}`);
    const prefix = Number(size.slice(1));
    return { ...firstOf(cidr), prefix, step: 1n << BigInt((cidr.ip.family === 4 ? 32 : 128) - prefix) };
  });
  const nodes: Record<string, string> = {};
  const pods: Record<string, string[]> = {};
  for (let index = 0; index < count; index++) {
    const starts = bases.map(({ family, value, step }) => ({ family, value: value + BigInt(index) * step }));
    const name = `node-${index + 1}`;
    nodes[name] = starts.map((start, at) => `${formatIp(start)}/${bases[at]?.prefix}`).join(",");
    for (let pod = 0; pod < use(index); pod++)
      pods[`default/web-${index}-${pod}@${name}`] = starts.map(({ family, value }) =>
        formatIp({ family, value: value + BigInt(pod) + 2n }),
      );
  }
  return { nodes, pods };
}

/** Every kind of trouble beside a good node or two. */
export const troubled: World = {
  nodes: {
    alpha: "10.8.0.0/24",
    beta: "10.8.1.0/24",
    gamma: "10.8.1.128/25",
    delta: "10.8.3.0-10.8.3.99/22",
    epsilon: "10.8.0/24",
  },
  pods: {
    "default/one@alpha": ["10.8.0.2"],
    "default/two@gamma": ["10.8.1.130"],
    "default/three@delta": ["10.8.3.4"],
    "default/lost@delta": ["10.8.2.9"],
    "default/another-network's@alpha": ["192.168.7.7"],
  },
};
