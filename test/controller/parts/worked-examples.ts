import type { PoolKind } from "../../../src/api/pool-kind.ts";

export type NvAllocation = {
  nodeName: string;
  startIP?: string;
  endIP?: string;
  prefix?: string;
  gateway?: string;
};
export type NvObject = {
  metadata: {
    uid: string;
    resourceVersion: string;
    annotations?: Record<string, string>;
    finalizers?: string[];
    deletionTimestamp?: string;
  };
  status?: { allocations?: NvAllocation[] };
};

type Example = {
  words: string;
  name: string;
  kind: PoolKind;
  spec: object;
  nodes: number;
  before?: NvAllocation[];
  after: NvAllocation[];
};

/** `FIRST-LAST` of node1, node2 and so on. */
function ranges(...texts: string[]): NvAllocation[] {
  return texts.map((text, i) => {
    const [startIP = "", endIP = startIP] = text.split("-");
    return { nodeName: `node${i + 1}`, startIP, endIP };
  });
}

function flat(words: string, spec: object, nodes: number, after: NvAllocation[]): Example {
  const name = words.replaceAll(/[^0-9a-z]+/gi, "-").toLowerCase();
  return { words, name, kind: "IPPool", spec, nodes, after };
}

function pool(subnet: string, perNodeBlockSize: number, gateway?: string, ...excluded: [string, string][]) {
  const exclusions = excluded.map(([startIP, endIP]) => ({ startIP, endIP }));
  return {
    subnet,
    perNodeBlockSize,
    ...(gateway !== undefined && { gateway }),
    ...(exclusions.length > 0 && { exclusions }),
  };
}

const small = (...excluded: [number, number][]) =>
  pool(
    "192.168.0.0/24",
    10,
    "192.168.0.1",
    ...excluded.map(([a, b]): [string, string] => [`192.168.0.${a}`, `192.168.0.${b}`]),
  );

const prefixes = (gatewayIndex: number, ...bits: [string, number]) => ({
  cidr: bits[0],
  perNodeNetworkPrefix: bits[1],
  gatewayIndex,
});

/** Those of reference/pools.md, in its order. */
export const workedExamples: Example[] = [
  flat(
    "1 four Nodes",
    pool("192.168.0.0/24", 15, "192.168.0.1"),
    4,
    ranges(
      "192.168.0.1-192.168.0.15",
      "192.168.0.16-192.168.0.30",
      "192.168.0.31-192.168.0.45",
      "192.168.0.46-192.168.0.60",
    ),
  ),
  flat(
    "2 one address a Node, past the gateway",
    pool("172.16.0.0/16", 1, "172.16.0.3"),
    4,
    ranges("172.16.0.1", "172.16.0.2", "172.16.0.4", "172.16.0.5"),
  ),
  flat("3 none left", pool("192.168.0.0/24", 200, "192.168.0.1"), 2, ranges("192.168.0.1-192.168.0.200")),
  flat(
    "4 not past the end of the address space",
    pool("255.255.255.0/24", 200, "255.255.255.1"),
    2,
    ranges("255.255.255.1-255.255.255.200"),
  ),
  flat("6a a 31 whole", pool("10.10.10.10/31", 2), 2, ranges("10.10.10.10-10.10.10.11")),
  flat("6b a 31 by one", pool("10.10.10.10/31", 1), 2, ranges("10.10.10.10", "10.10.10.11")),
  flat("6c a 32", pool("10.10.10.10/32", 1), 2, ranges("10.10.10.10")),
  flat("7a a block excluded whole", small([0, 15]), 1, ranges("192.168.0.11-192.168.0.20")),
  flat("7b by exclusions that overlap", small([1, 5], [4, 10]), 1, ranges("192.168.0.11-192.168.0.20")),
  flat("7c not whole", small([1, 3], [5, 10]), 1, ranges("192.168.0.1-192.168.0.10")),
  flat(
    "8 IPv6",
    pool("2001:db8::/120", 10, "2001:db8::1", ["2001:db8::1", "2001:db8::a"]),
    1,
    ranges("2001:db8::b-2001:db8::14"),
  ),
  {
    ...flat("9 prefixes", {}, 2, [
      { nodeName: "node1", prefix: "10.10.1.0/24", gateway: "10.10.1.1" },
      { nodeName: "node2", prefix: "10.10.2.0/24", gateway: "10.10.2.1" },
    ]),
    kind: "CIDRPool",
    spec: {
      ...prefixes(1, "10.10.0.0/16", 24),
      exclusions: [{ startIP: "10.10.0.0", endIP: "10.10.0.255" }],
    },
  },
  ...[
    [254, "10.11.0.0/16", 24, "10.11.0.0/24", "10.11.0.254"],
    [0, "10.12.0.0/16", 31, "10.12.0.0/31", "10.12.0.0"],
    [1, "10.12.0.0/16", 31, "10.12.0.0/31", "10.12.0.1"],
    [255, "2001:db8:1::/64", 120, "2001:db8:1::/120", "2001:db8:1::ff"],
  ].map(
    ([index, cidr, bits, prefix, gateway]): Example => ({
      ...flat(`10 gateway ${index} of a ${bits}`, prefixes(Number(index), String(cidr), Number(bits)), 1, [
        { nodeName: "node1", prefix: String(prefix), gateway: String(gateway) },
      ]),
      kind: "CIDRPool",
    }),
  ),
];

/** Of them, those that no pool can be made by. */
export const refusedExamples = [
  { gatewayIndex: 0, perNodeNetworkPrefix: 24, cidr: "10.13.0.0/16" },
  { gatewayIndex: 255, perNodeNetworkPrefix: 24, cidr: "10.13.0.0/16" },
  { gatewayIndex: 2, perNodeNetworkPrefix: 31, cidr: "10.13.0.0/16" },
  { gatewayIndex: 256, perNodeNetworkPrefix: 120, cidr: "2001:db8:2::/64" },
];
