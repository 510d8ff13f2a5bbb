/** A change of a good spec, by path (undefined takes the key away), and a part of what the API server says of it. */
export type Fault = { change: Record<string, unknown>; says: string };

const exclusion = { startIP: "10.1.0.9", endIP: "10.1.0.12" };
const expression = (requirement: object) => ({
  nodeSelector: { nodeSelectorTerms: [{ matchExpressions: [requirement] }] },
});
const field = (requirement: object) => ({
  nodeSelector: { nodeSelectorTerms: [{ matchFields: [requirement] }] },
});
const mustBe = (type: string) => `must be of type ${type}`;
const network = "expected a network such as 10.1.0.0/16 or fd00:1::/48";
const address = "expected an IP address such as 10.1.0.1 or fd00:1::1";
const duration = "expected a time as Go writes it";

/** Wrong in both kinds of pools, whose network is 10.1.0.0/24. */
const common: Fault[] = [
  { change: { exclusions: "x" }, says: mustBe("array") },
  { change: { exclusions: [{ endIP: "10.1.0.9" }] }, says: "spec.exclusions[0].startIP: Required value" },
  { change: { exclusions: [{ startIP: "10.1.0.9" }] }, says: "spec.exclusions[0].endIP: Required value" },
  { change: { exclusions: [{ ...exclusion, startIP: "10.1.0.300" }] }, says: address },
  { change: { exclusions: [{ ...exclusion, endIP: "10.1.0.0/24" }] }, says: address },
  {
    change: { exclusions: [{ ...exclusion, startIP: "10.0.255.255" }] },
    says: "expected exclusions inside of",
  },
  { change: { exclusions: [{ ...exclusion, endIP: "10.1.1.0" }] }, says: "expected exclusions inside of" },
  {
    change: { exclusions: [{ ...exclusion, endIP: "fd00::1" }] },
    says: "start and end are of different families",
  },
  { change: { exclusions: [{ ...exclusion, more: 1 }] }, says: 'unknown field "spec.exclusions[0].more"' },
  { change: { exclusions: Array(1001).fill(exclusion) }, says: "must have at most 1000 items" },

  {
    change: { perNodeExclusions: [{ endIndex: 1 }] },
    says: "perNodeExclusions[0].startIndex: Required value",
  },
  {
    change: { perNodeExclusions: [{ startIndex: 1 }] },
    says: "perNodeExclusions[0].endIndex: Required value",
  },
  { change: { perNodeExclusions: [{ startIndex: -1, endIndex: 1 }] }, says: "greater than or equal to 0" },
  { change: { perNodeExclusions: [{ startIndex: 0.5, endIndex: 1 }] }, says: mustBe("integer") },
  { change: { perNodeExclusions: [{ startIndex: 2, endIndex: 1 }] }, says: "the end comes before the start" },
  { change: { perNodeExclusions: [{ startIndex: 2, endIndex: 16 }] }, says: "expected indexes below" },
  {
    change: { perNodeExclusions: Array(257).fill({ startIndex: 1, endIndex: 1 }) },
    says: "must have at most 256 items",
  },

  { change: { nodeSelector: {} }, says: "nodeSelectorTerms: Required value" },
  { change: { nodeSelector: { nodeSelectorTerms: [] } }, says: "should have at least 1 items" },
  { change: { nodeSelector: { nodeSelectorTerms: [{ labels: {} }] } }, says: "unknown field" },
  { change: expression({ operator: "Exists" }), says: "key: Required value" },
  { change: expression({ key: "a b", operator: "Exists" }), says: "expected a label's key" },
  { change: expression({ key: "a" }), says: "operator: Required value" },
  { change: expression({ key: "a", operator: "Is" }), says: 'Unsupported value: "Is"' },
  { change: expression({ key: "a", operator: "In" }), says: "In and NotIn need values" },
  { change: expression({ key: "a", operator: "NotIn", values: [] }), says: "In and NotIn need values" },
  { change: expression({ key: "a", operator: "Exists", values: ["b"] }), says: "take no values" },
  { change: expression({ key: "a", operator: "DoesNotExist", values: ["b"] }), says: "take no values" },
  { change: expression({ key: "a", operator: "Gt" }), says: "Gt and Lt compare with one integer" },
  {
    change: expression({ key: "a", operator: "Lt", values: ["1", "2"] }),
    says: "Gt and Lt compare with one integer",
  },
  {
    change: expression({ key: "a", operator: "Gt", values: ["b"] }),
    says: "Gt and Lt compare with one integer",
  },
  {
    change: field({ key: "spec.podCIDR", operator: "In", values: ["a"] }),
    says: 'supported values: "metadata.name"',
  },
  {
    change: field({ key: "metadata.name", operator: "Exists", values: ["a"] }),
    says: 'supported values: "In", "NotIn"',
  },
  {
    change: field({ key: "metadata.name", operator: "In", values: ["a", "b"] }),
    says: "must have at most 1 item",
  },
  { change: field({ key: "metadata.name", operator: "In" }), says: "values: Required value" },

  { change: { defaultGateway: "yes" }, says: mustBe("boolean") },
  { change: { routes: [{}] }, says: "routes[0].dst: Required value" },
  { change: { routes: [{ dst: "10.9.0.0" }] }, says: network },
  { change: { routes: [{ dst: "fd00::/8" }] }, says: "expected networks of the family of" },
  {
    change: { routes: [{ dst: "0.0.0.0/0" }], defaultGateway: true },
    says: "a default route beside defaultGateway",
  },
  { change: { routes: Array(257).fill({ dst: "10.9.0.0/16" }) }, says: "must have at most 256 items" },

  { change: { perNodeReserved: { first: -1 } }, says: "greater than or equal to 0" },
  { change: { perNodeReserved: { last: "2" } }, says: mustBe("integer") },
  { change: { perNodeReserved: { first: 10, last: 6 } }, says: "leave no address of a block: reserve fewer" },
  { change: { perNodeReserved: { both: 1 } }, says: "unknown field" },

  { change: { blockReleaseDelay: "1d" }, says: duration },
  { change: { blockReleaseDelay: "" }, says: duration },
  { change: { blockReleaseDelay: 24 }, says: mustBe("string") },
  { change: { blockReleaseDelay: "12h" }, says: "must be shorter than blockReleaseDelay" },
  { change: { blockHoldTime: "soon" }, says: duration },
  { change: { blockHoldTime: "24h0m0s" }, says: "must be shorter than blockReleaseDelay" },
  { change: { blockHoldTime: "0s" }, says: "expected a second at least" },
  {
    change: { blockHoldTime: "1h", blockReleaseDelay: "30m" },
    says: "must be shorter than blockReleaseDelay",
  },

  { change: { allowOverlap: "yes" }, says: mustBe("boolean") },
  { change: { perNodeReservd: {} }, says: 'unknown field "spec.perNodeReservd"' },
];

export const goodIPPool = { subnet: "10.1.0.0/24", perNodeBlockSize: 16, gateway: "10.1.0.1" };
export const goodCIDRPool = { cidr: "10.1.0.0/24", perNodeNetworkPrefix: 28, gatewayIndex: 1 };

export const ipPoolFaults: Fault[] = [
  { change: { subnet: undefined }, says: "spec.subnet: Required value" },
  { change: { subnet: 7 }, says: mustBe("string") },
  { change: { subnet: "10.1.0.0" }, says: network },
  { change: { subnet: "10.1.0.0/33" }, says: network },
  { change: { subnet: "::ffff:10.1.0.0/120" }, says: network },
  { change: { subnet: `${"0".repeat(50)}/8` }, says: "may not be more than 49 bytes" },
  { change: { perNodeBlockSize: undefined }, says: "spec.perNodeBlockSize: Required value" },
  { change: { perNodeBlockSize: "16" }, says: mustBe("integer") },
  { change: { perNodeBlockSize: 0 }, says: "greater than or equal to 1" },
  { change: { perNodeBlockSize: 255 }, says: "more addresses than subnet has for pods" },
  { change: { subnet: "10.1.0.0/31", perNodeBlockSize: 3 }, says: "more addresses than subnet has for pods" },
  { change: { subnet: "10.1.0.1/32", perNodeBlockSize: 2 }, says: "more addresses than subnet has for pods" },
  {
    change: { subnet: "fd00::/120", perNodeBlockSize: 256, gateway: undefined },
    says: "more addresses than subnet has for pods",
  },
  { change: { gateway: "router" }, says: address },
  {
    change: { gateway: "10.1.1.1" },
    says: "expected an address inside of subnet",
  },
  { change: { gateway: "fd00::1" }, says: "expected an address inside of subnet" },
  { change: { gateway: undefined, defaultGateway: true }, says: "there is no gateway to take: set gateway" },
  {
    change: { gateway: undefined, routes: [{ dst: "10.9.0.0/16" }] },
    says: "routes need a gateway: set gateway",
  },
  { change: { cidr: "10.1.0.0/24" }, says: 'unknown field "spec.cidr"' },
  ...common,
];

const given = { prefix: "10.1.0.16/28", nodeName: "a", gateway: "10.1.0.20" };
const statics = (change: object) => ({ staticAllocations: [{ ...given, ...change }] });

export const cidrPoolFaults: Fault[] = [
  { change: { cidr: undefined }, says: "spec.cidr: Required value" },
  { change: { cidr: "10.1/24" }, says: network },
  { change: { cidr: "10.1.0.1/24" }, says: "host bits are set" },
  { change: { perNodeNetworkPrefix: undefined }, says: "spec.perNodeNetworkPrefix: Required value" },
  { change: { perNodeNetworkPrefix: 0 }, says: "greater than or equal to 1" },
  { change: { perNodeNetworkPrefix: 129 }, says: "less than or equal to 128" },
  { change: { perNodeNetworkPrefix: 23 }, says: "expected a prefix length from that of cidr" },
  { change: { perNodeNetworkPrefix: 33 }, says: "expected a prefix length from that of cidr" },
  { change: { gatewayIndex: -1 }, says: "greater than or equal to 0" },
  { change: { gatewayIndex: "1" }, says: mustBe("integer") },
  { change: { gatewayIndex: 0 }, says: "a node's network has no gateway there" },
  { change: { gatewayIndex: 15 }, says: "a node's network has no gateway there" },
  { change: { perNodeNetworkPrefix: 31, gatewayIndex: 2 }, says: "a node's network has no gateway there" },
  { change: { perNodeNetworkPrefix: 32, gatewayIndex: 1 }, says: "a node's network has no gateway there" },
  {
    change: { cidr: "fd00::/64", perNodeNetworkPrefix: 120, gatewayIndex: 256 },
    says: "a node's network has no gateway there",
  },
  { change: { gatewayIndex: undefined, defaultGateway: true }, says: "there is no gateway to take" },
  { change: { gatewayIndex: undefined, routes: [{ dst: "10.9.0.0/16" }] }, says: "routes need a gateway" },
  { change: statics({ prefix: undefined }), says: "staticAllocations[0].prefix: Required value" },
  { change: statics({ prefix: "10.1.0.16" }), says: network },
  { change: statics({ prefix: "10.1.0.17/28" }), says: "host bits are set" },
  {
    change: statics({ prefix: "10.2.0.16/28", gateway: undefined }),
    says: "expected prefixes inside of cidr",
  },
  { change: statics({ prefix: "10.1.0.16/29" }), says: "expected prefixes inside of cidr" },
  { change: statics({ gateway: "x" }), says: address },
  { change: statics({ gateway: "10.1.0.40" }), says: "expected an address inside of prefix" },
  { change: statics({ node: "a" }), says: "unknown field" },
  { change: { staticAllocations: [given, { prefix: given.prefix }] }, says: "Duplicate value" },
  ...common,
];

const backwards = {
  change: { exclusions: [{ startIP: "10.1.0.9", endIP: "10.1.0.8" }] },
  says: "the end comes before the start",
};
/** All of a block of 16 addresses. */
const everything = {
  change: {
    perNodeExclusions: [
      { startIndex: 0, endIndex: 7 },
      { startIndex: 8, endIndex: 15 },
    ],
  },
  says: "they leave no address of a block",
};

/** What the API server takes, since CEL can't tell, or not at a cost that it allows: the controller says it as a condition. */
export const left: { IPPool: Fault[]; CIDRPool: Fault[] } = {
  IPPool: [backwards, everything],
  CIDRPool: [
    backwards,
    everything,
    {
      change: { staticAllocations: [given, { prefix: "10.1.0.32/28", nodeName: "a" }] },
      says: "a has a prefix already",
    },
    {
      change: {
        ...{ cidr: "fd00::/64", perNodeNetworkPrefix: 120 },
        staticAllocations: [{ prefix: "fd00::100/120" }, { prefix: "FD00:0::0100/120" }],
      },
      says: "is given twice",
    },
  ],
};

/** Lists of as many items as they may have: a rule must not cost more than the server allows while it runs. */
const atItsLimits = {
  exclusions: Array(1000).fill(exclusion),
  perNodeExclusions: Array(256).fill({ startIndex: 1, endIndex: 1 }),
  routes: Array(256).fill({ dst: "10.9.0.0/16" }),
  nodeSelector: {
    nodeSelectorTerms: Array(32).fill({
      matchExpressions: Array(32).fill({ key: "example.com/rack", operator: "Gt", values: ["1000"] }),
    }),
  },
};
const manyStatics = Array.from({ length: 1000 }, (_, at) => ({
  prefix: `10.2.${at >> 4}.${(at & 15) << 4}/28`,
  nodeName: `worker-${at}.example.com`,
  gateway: `10.2.${at >> 4}.${((at & 15) << 4) + 1}`,
}));

/** Specs that are good, at the edges of the rules. */
export const goodChanges: { IPPool: Fault["change"][]; CIDRPool: Fault["change"][] } = {
  IPPool: [
    {},
    { perNodeBlockSize: 254 },
    { subnet: "10.1.0.7/24" },
    { subnet: "10.1.0.0/31", perNodeBlockSize: 2 },
    { subnet: "10.1.0.1/32", perNodeBlockSize: 1 },
    { subnet: "fd00::/120", perNodeBlockSize: 255, gateway: "fd00::1" },
    { subnet: "fd00::/48", perNodeBlockSize: 2 ** 53 - 1, gateway: "fd00::1" },
    { exclusions: [exclusion, exclusion], perNodeExclusions: [{ startIndex: 0, endIndex: 14 }] },
    { perNodeReserved: { first: 10, last: 5 } },
    { defaultGateway: true, routes: [{ dst: "10.0.0.0/8" }] },
    { blockReleaseDelay: "1h30m0.5s", blockHoldTime: "1h30m", allowOverlap: true },
    expression({ key: "topology.kubernetes.io/zone", operator: "NotIn", values: ["a", "b"] }),
    expression({ key: "rack", operator: "Gt", values: ["-7"] }),
    field({ key: "metadata.name", operator: "NotIn", values: ["a"] }),
    atItsLimits,
  ],
  CIDRPool: [
    {},
    { perNodeNetworkPrefix: 24 },
    { perNodeNetworkPrefix: 32, gatewayIndex: 0 },
    { perNodeNetworkPrefix: 31, gatewayIndex: 1 },
    { gatewayIndex: 14 },
    { cidr: "fd00::/64", perNodeNetworkPrefix: 120, gatewayIndex: 255 },
    {
      cidr: "fd00::/16",
      perNodeNetworkPrefix: 64,
      gatewayIndex: 2 ** 53 - 1,
      perNodeReserved: { first: 2 ** 52 },
    },
    { staticAllocations: [given, { prefix: "10.1.0.32/28" }, { prefix: "10.1.0.48/28", nodeName: "" }] },
    { perNodeReserved: { first: 8, last: 5 } },
    { ...atItsLimits, cidr: "10.0.0.0/8", staticAllocations: manyStatics },
  ],
};
