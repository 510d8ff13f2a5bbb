import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { firstOf, formatCidr, parseCidr } from "../../src/address/cidr.ts";
import { formatIp } from "../../src/address/ip.ts";
import { spanOf } from "../../src/address/range.ts";
import { fitPool } from "../../src/move/fit-pool.ts";
import { planImport } from "../../src/move/plan-import.ts";
import { type HandRanges, readHandRanges } from "../../src/move/read-hand-ranges.ts";
import { draftBlock, readBlock } from "../../src/pool/block.ts";
import { projectBlocks } from "../../src/pool/project-blocks.ts";
import { readPool } from "../../src/pool/read-pool.ts";

const file = (node: string, config: unknown) => ({
  node,
  path: `nodes/${node}/10-net.conflist`,
  text: typeof config === "string" ? config : JSON.stringify(config),
});
const list = (ipam: object, name = "net1") => ({
  cniVersion: "1.0.0",
  name,
  plugins: [{ type: "bridge", ipam: { type: "host-local", ...ipam } }, { type: "portmap" }],
});
const hand = (node: string, range: HandRanges["ranges"][0][0]): HandRanges => ({
  ...{ node, path: node, network: "net1", notes: [] },
  ranges: [[range]],
});

describe("ranges that were written by hand", () => {
  it("are read as host-local reads them, the old form before the new one", () => {
    const old = { subnet: "10.1.1.0/24", rangeStart: "10.1.1.10", gateway: "10.1.1.254" };
    const { ranges } = readHandRanges(file("n1", list({ ...old, ranges: [[{ subnet: "fd00:1::/64" }]] })));
    expect(ranges).toEqual([
      {
        ...{ node: "n1", path: "nodes/n1/10-net.conflist", network: "net1", notes: [] },
        ranges: [[old], [{ subnet: "fd00:1::/64" }]],
      },
    ]);
    const single = {
      name: "net1",
      type: "ptp",
      ipam: { type: "host-local", subnet: "10.1.1.0/24", dataDir: "/d" },
    };
    expect(readHandRanges(file("n1", single)).ranges[0]?.notes).toEqual([
      'nodes/n1/10-net.conflist: keep "dataDir": "/d"',
    ]);
  });

  it.each([
    ["malformed", "{", "expected a CNI configuration"],
    ["without a name", { ...list({ subnet: "10.1.1.0/24" }), name: undefined }, "without a name"],
    ["without ranges", list({}), "host-local without ranges"],
    ["no network", list({ subnet: "10.1.1.1/24" }), "has host bits set: write 10.1.1.0/24"],
    [
      "the wrong way round",
      list({ subnet: "10.1.1.0/24", rangeStart: "10.1.1.9", rangeEnd: "10.1.1.2" }),
      "ends before it starts",
    ],
    ["podCIDRs", list({ subnet: "usePodCidr" }), "which kube-node uses without an annotation"],
  ])("are doubted where a configuration is %s", (_, config, words) => {
    const { ranges, doubts } = readHandRanges(file("n1", config));
    expect(ranges).toEqual([]);
    expect(doubts.join()).toContain(words);
  });

  it("are of one network at a time; others' configurations are said; a node twice, or one that isn't there, is doubted", () => {
    const files = [
      file("n1", list({ subnet: "10.1.1.0/24" })),
      file("n1", list({ subnet: "10.1.2.0/24" })),
      file("n9", list({ subnet: "10.1.3.0/24" })),
      file("n1", { name: "other", type: "bridge", ipam: { type: "whereabouts" } }),
    ];
    const plan = planImport(files, undefined, (name) => name === "n1");
    expect(plan.network).toBe("net1");
    expect(plan.doubts).toEqual([
      "n1 has net1 several times: nodes/n1/10-net.conflist, nodes/n1/10-net.conflist",
      "n9: there is no such Node: is the folder called like it?",
    ]);
    expect(plan.notes).toEqual([expect.stringContaining("ipam of type whereabouts, not host-local")]);
    const two = [...files, file("n1", list({ subnet: "10.2.0.0/24" }, "net2"))];
    expect(() => planImport(two, undefined, () => true)).toThrow("choose one with --network: net1, net2");
    expect(planImport(two, "net2", () => true).ranges).toHaveLength(1);
    expect(() => planImport(two, "net3", () => true)).toThrow("they have net1, net2");
  });
});

describe("a pool that gives each node what it has", () => {
  it("parts of one subnet on the grid are an IPPool", () => {
    const part = (start: number) => ({
      subnet: "10.1.0.0/24",
      rangeStart: `10.1.0.${start}`,
      rangeEnd: `10.1.0.${start + 9}`,
    });
    expect(fitPool([hand("n1", part(1)), hand("n2", part(21))])).toEqual({
      kind: "IPPool",
      spec: { subnet: "10.1.0.0/24", perNodeBlockSize: 10, gateway: "10.1.0.1" },
      places: [
        { node: "n1", index: 0n },
        { node: "n2", index: 2n },
      ],
    });
    expect(fitPool([hand("n1", part(10)), hand("n2", part(20))])).toEqual({
      why: "no grid fits: blocks of 10 begin at 10.1.0.1, one after the other, and n1 begins at 10.1.0.10",
    });
    expect(fitPool([hand("n1", part(1)), hand("n2", { ...part(11), rangeEnd: "10.1.0.19" })])).toMatchObject({
      why: expect.stringContaining("n2 has 9 addresses, and n1 has 10"),
    });
  });

  it("a network a node is a CIDRPool, with what its nodes leave out as exclusions", () => {
    const range = (third: number) => ({
      subnet: `10.1.${third}.0/24`,
      rangeStart: `10.1.${third}.10`,
      gateway: `10.1.${third}.1`,
    });
    expect(fitPool([hand("n1", range(2)), hand("n2", range(5))])).toEqual({
      kind: "CIDRPool",
      spec: {
        cidr: "10.1.0.0/21",
        perNodeNetworkPrefix: 24,
        gatewayIndex: 1,
        perNodeExclusions: [{ startIndex: 1, endIndex: 9 }],
      },
      places: [
        { node: "n1", index: 2n },
        { node: "n2", index: 5n },
      ],
    });
    const other = { ...range(5), rangeStart: "10.1.5.20" };
    expect(fitPool([hand("n1", range(2)), hand("n2", other)])).toMatchObject({
      why: expect.stringContaining("n2 has another part of its network"),
    });
    expect(fitPool([hand("n1", range(2)), hand("n2", { subnet: "10.2.0.0/25" })])).toMatchObject({
      why: expect.stringContaining("of one family and size"),
    });
    const both = { ...hand("n1", range(2)), ranges: [[range(2)], [{ subnet: "fd00::/64" }]] };
    expect(fitPool([both])).toMatchObject({ why: expect.stringContaining("n1 has several ranges") });
  });

  it("whatever fits gives each node the very addresses that it had, and host-local's gateway", () => {
    const networks = fc.record({
      isV6: fc.boolean(),
      bits: fc.integer({ min: 3, max: 7 }),
      thirds: fc.uniqueArray(fc.nat(20), { minLength: 1, maxLength: 4 }),
      start: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(networks, ({ isV6, bits, thirds, start }) => {
        const base = parseCidr(isV6 ? "fd00:1::/64" : "10.1.0.0/24");
        const all = thirds.map((third) => {
          const value = (base?.ip.value ?? 0n) + BigInt(third << bits);
          const ip = { family: isV6 ? (6 as const) : (4 as const), value };
          const subnet = formatCidr({ ip, prefix: (isV6 ? 128 : 32) - bits });
          const first = formatIp({ ...ip, value: value + BigInt(start ?? 1) });
          return hand(`n${third}`, { subnet, ...(start !== undefined && { rangeStart: first }) });
        });
        const fit = fitPool(all);
        if ("why" in fit) throw new Error(fit.why);
        const read = readPool({ kind: fit.kind, name: "a", uid: "u", spec: fit.spec });
        if (!("pool" in read)) throw new Error("not valid");
        for (const [at, { node, index }] of fit.places.entries()) {
          const range = all[at]?.ranges[0]?.[0];
          if (!range) throw new Error("no range");
          const block = readBlock(draftBlock(read.pool, { name: node, uid: "n" }, index));
          const shown = projectBlocks(read.pool, "n", block ? [block] : []).blocks[0];
          const { first, last } = spanOf(range);
          expect(shown?.ranges).toEqual([`${formatIp(first)}-${formatIp(last)}`]);
          const subnet = parseCidr(range.subnet);
          expect(shown?.gateway).toBe(
            subnet && formatIp({ ...firstOf(subnet), value: firstOf(subnet).value + 1n }),
          );
          expect(shown?.subnet).toBe(range.subnet);
        }
      }),
    );
  });
});
