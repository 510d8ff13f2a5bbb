import type { PoolKind } from "./pool-kind.ts";
import { goDuration, usualTimes } from "./pool-times.ts";
import { type Validation, validations } from "./validation.ts";

/** Numbers up to here are the same in JSON, in JavaScript and in CEL. */
const largestExponent = 52;

/** What a network with so many host bits has; a pool's network of more bits has more than any number in a spec says. */
const sizes = Array.from({ length: largestExponent + 1 }, (_, bits) => 2 ** bits);
const usableV4 = sizes.slice(0, 33).map((size) => (size <= 2 ? size : size - 2));
const usableV6 = sizes.map((size) => (size <= 2 ? size : size - 1));

/** CEL that holds where `holds(usable)` does for the addresses that pods can have of a network: of the family and prefix of `cidr`. */
function usable(cidr: string, prefix: string, holds: (count: string) => string): string {
  const v4 = holds(`[${usableV4.join(", ")}][32 - ${prefix}]`);
  const v6 = holds(`[${usableV6.join(", ")}][128 - ${prefix}]`);
  return `(${isV4(cidr)} ? (${v4}) : (128 - ${prefix} > ${largestExponent} || (${v6})))`;
}

const isV4 = (cidr: string) => `cidr(${cidr}).ip().family() == 4`;
const bits = (cidr: string) => `(${isV4(cidr)} ? 32 : 128)`;
const reserved = "self.?perNodeReserved.?first.orValue(0) + self.?perNodeReserved.?last.orValue(0)";
const reservedWords = "the first and the last ones leave no address of a block: reserve fewer";

const holdTime = `self.?blockHoldTime.orValue('${usualTimes.blockHoldTime}')`;
const releaseDelay = `self.?blockReleaseDelay.orValue('${usualTimes.blockReleaseDelay}')`;
const noTimes = Object.keys(usualTimes)
  .map((key) => `(has(self.${key}) && !self.${key}.matches('${goDuration.source}'))`)
  .join(" || ");

/** Rules of both kinds, on a spec whose network is in `key`. `gateway` is the field that gives it. */
function common(key: string, gateway: string): Validation[] {
  const pool = `self.${key}`;
  const whereGood = `!isCIDR(${pool}) || `;
  return [
    {
      rule: `!has(self.exclusions) || ${whereGood}self.exclusions.all(e, (!isIP(e.startIP) || cidr(${pool}).containsIP(e.startIP)) && (!isIP(e.endIP) || cidr(${pool}).containsIP(e.endIP)))`,
      message: `expected exclusions inside of ${key}: remove those outside, or correct them`,
      fieldPath: ".exclusions",
    },
    {
      rule: `!has(self.routes) || ${whereGood}self.routes.all(r, !isCIDR(r.dst) || cidr(r.dst).ip().family() == cidr(${pool}).ip().family())`,
      message: `expected networks of the family of ${key}: routes of the other one need a pool of that family`,
      fieldPath: ".routes",
    },
    {
      rule: "!has(self.routes) || !self.?defaultGateway.orValue(false) || self.routes.all(r, !isCIDR(r.dst) || cidr(r.dst).prefixLength() > 0)",
      message: "a default route beside defaultGateway: remove one of them",
      fieldPath: ".routes",
    },
    {
      rule: `!has(self.routes) || size(self.routes) == 0 || has(self.${gateway})`,
      message: `routes need a gateway: set ${gateway}`,
      fieldPath: ".routes",
    },
    {
      rule: `!self.?defaultGateway.orValue(false) || has(self.${gateway})`,
      message: `there is no gateway to take: set ${gateway}`,
      fieldPath: ".defaultGateway",
    },
    {
      rule: `${noTimes} || duration(${holdTime}) < duration(${releaseDelay})`,
      message:
        "blockHoldTime (12h where it isn't set) must be shorter than blockReleaseDelay (24h where it isn't set): set both, the delay longer",
      fieldPath: ".blockHoldTime",
    },
    {
      rule: `${noTimes} || duration(${holdTime}) >= duration('1s')`,
      message: "expected a second at least",
      fieldPath: ".blockHoldTime",
    },
  ];
}

export const ipPoolValidations = validations(
  {
    rule: `!isCIDR(self.subnet) || ${usable("self.subnet", "cidr(self.subnet).prefixLength()", (count) => `self.perNodeBlockSize <= ${count}`)}`,
    message: "more addresses than subnet has for pods: make the block smaller or the subnet larger",
    fieldPath: ".perNodeBlockSize",
  },
  {
    rule: "!has(self.gateway) || !isIP(self.gateway) || !isCIDR(self.subnet) || cidr(self.subnet).containsIP(self.gateway)",
    message: "expected an address inside of subnet",
    fieldPath: ".gateway",
  },
  {
    rule: "!has(self.perNodeExclusions) || self.perNodeExclusions.all(e, e.endIndex < self.perNodeBlockSize)",
    message: "expected indexes below perNodeBlockSize",
    fieldPath: ".perNodeExclusions",
  },
  {
    rule: `${reserved} < self.perNodeBlockSize`,
    message: reservedWords,
    fieldPath: ".perNodeReserved",
  },
  ...common("subnet", "gateway"),
);

const node = "self.perNodeNetworkPrefix";
const isPrefixGood = `(${node} >= cidr(self.cidr).prefixLength() && ${node} <= ${bits("self.cidr")})`;
const hostBits = `(${bits("self.cidr")} - ${node})`;
const whereCidrGood = `!isCIDR(self.cidr) || !${isPrefixGood} || `;

export const cidrPoolValidations = validations(
  {
    rule: "!isCIDR(self.cidr) || cidr(self.cidr) == cidr(self.cidr).masked()",
    message: "host bits are set: write the network's first address, such as 10.1.0.0/16",
    fieldPath: ".cidr",
  },
  {
    rule: `!isCIDR(self.cidr) || ${isPrefixGood}`,
    message: "expected a prefix length from that of cidr to 32 (IPv4) or 128 (IPv6)",
    fieldPath: ".perNodeNetworkPrefix",
  },
  {
    rule: `!has(self.gatewayIndex) || ${whereCidrGood}(${hostBits} < 2 ? self.gatewayIndex <= ${hostBits} : self.gatewayIndex > 0 && ${usable("self.cidr", node, (count) => `self.gatewayIndex <= ${count}`)})`,
    message: "a node's network has no gateway there: expected the index of an address that pods could have",
    fieldPath: ".gatewayIndex",
  },
  {
    rule: `!has(self.perNodeExclusions) || ${whereCidrGood}${hostBits} > ${largestExponent} || self.perNodeExclusions.all(e, e.endIndex < [${sizes.join(", ")}][${hostBits}])`,
    message: "expected indexes below the number of a node's addresses",
    fieldPath: ".perNodeExclusions",
  },
  {
    rule: `${whereCidrGood}${usable("self.cidr", node, (count) => `${reserved} < ${count}`)}`,
    message: reservedWords,
    fieldPath: ".perNodeReserved",
  },
  {
    rule: `!has(self.staticAllocations) || ${whereCidrGood}self.staticAllocations.all(s, !isCIDR(s.prefix) || (cidr(self.cidr).containsCIDR(s.prefix) && cidr(s.prefix).prefixLength() == ${node}))`,
    message: "expected prefixes inside of cidr, as long as perNodeNetworkPrefix says",
    fieldPath: ".staticAllocations",
  },
  ...common("cidr", "gatewayIndex"),
);

const grid = "self.status.grid";
const base = (key: string, self = "self") => `cidr(${self}.spec.${key}).masked().ip()`;
/** Whether all addresses of a network are for pods, so that its first block begins with its first one. */
const isSmall = (self: string) =>
  `(cidr(${self}.spec.subnet).prefixLength() >= (cidr(${self}.spec.subnet).ip().family() == 4 ? 31 : 127))`;
const decimalSizes = Array.from({ length: 129 }, (_, bits) => `'${1n << BigInt(bits)}'`);

/** Rules on the whole object: its name, and that the grid of `status` is still the one that the spec says. */
export const poolValidations: Record<PoolKind, Validation[]> = {
  IPPool: [
    name(),
    frozen(
      "subnet",
      "perNodeBlockSize",
      `size(${grid}.size) < 17 && int(${grid}.size) == self.spec.perNodeBlockSize && cidr(self.spec.subnet).containsIP(${grid}.first)`,
    ),
    // What is frozen is one address behind the network's own, which CEL can't count to: so the network is compared with the one before.
    frozen(
      "subnet",
      "perNodeBlockSize",
      `!isCIDR(oldSelf.spec.subnet) || (${base("subnet")} == ${base("subnet", "oldSelf")} && ${isSmall("self")} == ${isSmall("oldSelf")})`,
    ),
  ],
  CIDRPool: [
    name(),
    frozen(
      "cidr",
      "perNodeNetworkPrefix",
      `${grid}.size == [${decimalSizes.join(", ")}][${bits("self.spec.cidr")} - self.spec.perNodeNetworkPrefix] && ip(${grid}.first) == ${base("cidr")}`,
    ),
  ],
};

function name(): Validation {
  return {
    rule: "size(self.metadata.name) <= 63",
    message: "a pool's name is part of an annotation's key: expected at most 63 characters",
  };
}

function frozen(key: string, size: string, isSame: string): Validation {
  return {
    rule: `!has(self.status) || !has(${grid}) || !isCIDR(self.spec.${key}) || !isIP(${grid}.first) || (${isSame})`,
    message: `this would move blocks that are given: keep ${size} and the first address of ${key} (its end may move), or make another pool`,
    fieldPath: `.spec.${key}`,
  };
}
