import { describe, expect, it } from "vitest";
import type { PoolKind } from "../../src/api/pool-kind.ts";
import { callTime } from "../../src/api/pool-times.ts";
import { readBlock } from "../../src/pool/block.ts";
import { readPool } from "../../src/pool/read-pool.ts";
import { longestCall } from "../../src/request/budget.ts";

const flat = { subnet: "10.0.0.0/24", perNodeBlockSize: 16 };
const cut = { cidr: "10.0.0.0/16", perNodeNetworkPrefix: 24 };

function told(kind: PoolKind, spec: Record<string, unknown>): string[] {
  const read = readPool({ kind, name: "p", uid: "u", spec });
  return "faults" in read
    ? [read.reason, ...read.faults.map(({ path, words }) => `${path.join(".")}: ${words}`)]
    : ["good"];
}

describe("reading a pool", () => {
  it("holds nodes to half a day, and keeps a gone node's block for a day, unless it says otherwise", () => {
    const read = (more: Record<string, string | null>) => {
      const found = readPool({ kind: "IPPool", name: "p", uid: "u", spec: { ...flat, ...more } });
      return "pool" in found ? [found.pool.holdsFor, found.pool.releaseDelay] : found.faults[0]?.words;
    };
    expect(read({})).toEqual([43_200, 86_400]);
    expect(read({ blockHoldTime: null, blockReleaseDelay: null })).toEqual([43_200, 86_400]);
    expect(read({ blockHoldTime: "1m30s", blockReleaseDelay: "6m" })).toEqual([90, 360]);
    expect(read({ blockHoldTime: "soon" })).toMatch(/^expected a time as Go writes it/);
    expect(read({ blockReleaseDelay: "12h" })).toMatch(/must be shorter than blockReleaseDelay/);
  });

  it("ends a node's time before a call that began within it could outlive the release", () => {
    const read = (blockHoldTime: string, blockReleaseDelay: string) => {
      const found = readPool({
        kind: "IPPool",
        name: "p",
        uid: "u",
        spec: { ...flat, blockHoldTime, blockReleaseDelay },
      });
      return "pool" in found ? found.pool.holdsFor : undefined;
    };
    expect(callTime).toBe(longestCall);
    expect(read("59m", "1h")).toBe(3600 - callTime);
    expect(read("1s", "2s")).toBe(0);
  });

  it("says what is wrong: rules first, then what only planning shows", () => {
    expect(told("IPPool", { ...flat, perNodeBlocksize: 3 })[0]).toBe("InvalidSpec");
    expect(told("CIDRPool", { ...cut, perNodeNetworkPrefix: 15 })[0]).toBe("InvalidSpec");
    expect(told("IPPool", { ...flat, perNodeReserved: { first: 9, last: 9 } })[0]).toBe("InvalidSpec");
    expect(told("CIDRPool", { ...cut, perNodeReserved: { first: 127, last: 126 } })).toEqual(["good"]);
    expect(told("CIDRPool", { ...cut, perNodeReserved: { first: 127, last: 127 } })[0]).toBe("InvalidSpec");
    const exceptGateway = { gatewayIndex: 1, perNodeExclusions: [{ startIndex: 2, endIndex: 254 }] };
    expect(told("CIDRPool", { ...cut, ...exceptGateway })).toEqual([
      "InvalidSpec",
      "gatewayIndex: the gateway is all that is left of each block: exclude fewer addresses",
    ]);
  });

  it("takes nv-ipam's empty nodeName as nobody's", () => {
    const spec = { ...cut, staticAllocations: [{ prefix: "10.0.3.0/24", nodeName: "" }] };
    const read = readPool({ kind: "CIDRPool", name: "p", uid: "u", spec });
    expect("pool" in read && [...read.pool.statics]).toEqual([[3n, {}]]);
    expect("pool" in read && read.pool.staticOf.size).toBe(0);
  });

  it("compares the frozen grid as numbers", () => {
    const spec = { cidr: "FD00:0::/48", perNodeNetworkPrefix: 64 };
    const frozen = { first: "fd00:0:0::", size: "18446744073709551616" };
    expect("pool" in readPool({ kind: "CIDRPool", name: "p", uid: "u", spec, frozen })).toBe(true);
    // ::10.0.0.0 is the number that 10.0.0.0 is.
    const other = {
      kind: "CIDRPool" as const,
      name: "p",
      uid: "u",
      spec: cut,
      frozen: { first: "::a00:0", size: "256" },
    };
    expect("faults" in readPool(other)).toBe(true);
    const moved = readPool({
      kind: "CIDRPool",
      name: "p",
      uid: "u",
      spec,
      frozen: { first: "10.0.0.0", size: "256" },
    });
    expect("faults" in moved && [moved.reason, ...moved.faults.map(({ path }) => path[0])]).toEqual([
      "GridMoved",
      "cidr",
      "perNodeNetworkPrefix",
    ]);
  });
});

describe("reading a NodeBlock", () => {
  const spec = {
    pool: { kind: "IPPool" as const, name: "p", uid: "u" },
    index: "3",
    first: "10.0.0.49",
    last: "10.0.0.64",
    nodeName: "n",
    nodeUID: "n-1",
  };
  const read = (name: string, more: Partial<typeof spec> = {}) =>
    readBlock({
      apiVersion: "ipam.kube-node.io/v1alpha1",
      kind: "NodeBlock",
      metadata: { name },
      spec: { ...spec, ...more },
    });

  it("goes by the name, which is the claim", () => {
    expect(read("ippool.p.3")).toMatchObject({
      index: 3n,
      closing: false,
      pool: { kind: "IPPool", name: "p", uid: "u" },
    });
    expect(read("cidrpool.other.name.3")).toMatchObject({ pool: { kind: "CIDRPool", name: "other.name" } });
    expect(read("p-3")).toBeUndefined();
  });

  it("has no addresses where the document contradicts itself", () => {
    expect(read("ippool.p.3")?.span).toBeDefined();
    expect(read("ippool.p.4")?.span).toBeUndefined();
    for (const more of [{ first: "10.0.0.65" }, { last: "fd00::1" }, { first: "nonsense" }])
      expect(read("ippool.p.3", more)?.span).toBeUndefined();
  });
});
