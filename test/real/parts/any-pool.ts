import fc from "fast-check";

// Specs near the edges of the rules: in the right shape, often good, often wrong in one way or several.

const network = fc.constantFrom(
  ...["10.1.0.0/24", "10.1.0.0/28", "10.1.0.8/30", "10.1.0.0/31", "10.1.0.1/32", "10.1.0.9/24", "0.0.0.0/0"],
  ...["fd00::/64", "fd00::/120", "fd00::/126", "fd00::/127", "fd00::1/128", "fd00::9/64", "::/0"],
);
const ip = fc.constantFrom(
  "10.1.0.0",
  "10.1.0.1",
  "10.1.0.9",
  "10.1.0.255",
  "10.1.1.0",
  "fd00::",
  "fd00::1",
  "fd00::ff",
  "fd01::",
);
const small = fc.constantFrom(0, 1, 2, 3, 4, 13, 14, 15, 16, 253, 254, 255, 256, 2 ** 32, 2 ** 53 - 1);
/** Seldom there: else nearly every spec would be wrong in some way. */
const optional = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const list = <T>(arbitrary: fc.Arbitrary<T>) => optional(fc.array(arbitrary, { minLength: 1, maxLength: 2 }));

const common = {
  exclusions: list(fc.record({ startIP: ip, endIP: ip })),
  perNodeExclusions: list(fc.record({ startIndex: small, endIndex: small })),
  defaultGateway: optional(fc.boolean()),
  routes: list(
    fc.record({ dst: fc.constantFrom("0.0.0.0/0", "10.0.0.0/8", "::/0", "fd00::/8", "10.9.0.1/16") }),
  ),
  perNodeReserved: optional(
    fc.record(
      { first: fc.constantFrom(0, 1, 7, 8, 253), last: fc.constantFrom(0, 1, 6, 7) },
      { requiredKeys: [] },
    ),
  ),
  blockReleaseDelay: optional(fc.constantFrom("12h", "43201s", "24h", "1h30m", "90m0.001s", "300ms")),
  blockHoldTime: optional(fc.constantFrom("12h", "1s", "999ms", "0s", "90m", "1h30m0s", "48h")),
};

export const anyIPPool = fc.record({
  subnet: network,
  perNodeBlockSize: small.filter((size) => size > 0),
  gateway: optional(ip),
  ...common,
});

const prefixes: Record<string, number[]> = {
  "10.1.0.0/24": [23, 24, 25, 28, 30, 31, 32, 33],
  "10.1.0.0/31": [30, 31, 32, 64],
  "10.1.0.9/24": [28],
  "0.0.0.0/0": [1, 32],
  "fd00::/64": [63, 64, 65, 75, 76, 120, 126, 127, 128],
  "fd00::/120": [28, 120, 128],
  "::/0": [1, 64],
};

const cut = fc.record({
  gatewayIndex: optional(small),
  staticAllocations: list(
    fc.record(
      {
        prefix: fc.constantFrom(
          "10.1.0.0/28",
          "10.1.0.16/28",
          "10.1.0.1/28",
          "10.1.0.0/24",
          "fd00::/120",
          "fd00::100/120",
        ),
        nodeName: fc.constantFrom("a", "b"),
        gateway: ip,
      },
      { requiredKeys: ["prefix"] },
    ),
  ),
  ...common,
});

export const anyCIDRPool = fc
  .constantFrom(
    ...Object.entries(prefixes).flatMap(([cidr, each]) => each.map((prefix) => ({ cidr, prefix }))),
  )
  .chain(({ cidr, prefix }) => cut.map((more) => ({ cidr, perNodeNetworkPrefix: prefix, ...more })));
