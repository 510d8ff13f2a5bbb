import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { convertResult, hasAddresses } from "../../src/cni/result.ts";
import { type CniVersion, isAtLeast, versions } from "../../src/cni/versions.ts";

const dual = {
  cniVersion: "1.0.0",
  ips: [
    { address: "10.1.2.3/24", gateway: "10.1.2.1" },
    { address: "fd00::3/64", gateway: "fd00::1" },
  ],
  routes: [{ dst: "0.0.0.0/0" }, { dst: "::/0", gw: "fd00::1" }],
  dns: { nameservers: ["10.0.0.53"] },
};

describe("convertResult", () => {
  it("to 1.1.0 changes the version alone", () => {
    expect(convertResult(dual, "1.1.0")).toEqual({ ...dual, cniVersion: "1.1.0" });
  });

  it.each(["0.3.0", "0.3.1", "0.4.0"] as const)("to %s tells the family of each address", (to) => {
    expect(convertResult(dual, to)).toEqual({
      ...dual,
      cniVersion: to,
      ips: [
        { version: "4", address: "10.1.2.3/24", gateway: "10.1.2.1" },
        { version: "6", address: "fd00::3/64", gateway: "fd00::1" },
      ],
    });
  });

  it.each(["0.1.0", "0.2.0"] as const)("to %s has ip4 and ip6, with their routes", (to) => {
    expect(convertResult(dual, to)).toEqual({
      cniVersion: to,
      ip4: { ip: "10.1.2.3/24", gateway: "10.1.2.1", routes: [{ dst: "0.0.0.0/0" }] },
      ip6: { ip: "fd00::3/64", gateway: "fd00::1", routes: [{ dst: "::/0", gw: "fd00::1" }] },
      dns: { nameservers: ["10.0.0.53"] },
    });
  });

  it("makes up neither gateways nor routes", () => {
    const bare = { cniVersion: "0.2.0", ip6: { ip: "fd00::3/64" } };
    expect(convertResult(bare, "1.0.0")).toEqual({ cniVersion: "1.0.0", ips: [{ address: "fd00::3/64" }] });
    expect(convertResult({ ips: [{ address: "10.1.2.3/24" }] }, "0.1.0")).toEqual({
      cniVersion: "0.1.0",
      ip4: { ip: "10.1.2.3/24" },
    });
  });

  it("keeps the first address a family where the old shape holds no more", () => {
    const ips = ["fd00::1/64", "10.0.0.1/24", "10.0.0.2/24"].map((address) => ({ address }));
    expect(convertResult({ ips }, "0.2.0")).toEqual({
      cniVersion: "0.2.0",
      ip4: { ip: "10.0.0.1/24" },
      ip6: { ip: "fd00::1/64" },
    });
  });

  it("leaves its argument alone", () => {
    const before = structuredClone(dual);
    for (const to of versions) convertResult(dual, to);
    expect(dual).toEqual(before);
  });
});

describe("there and back", () => {
  const version = fc.constantFrom(...versions);
  const shapes = {
    4: { ip: fc.ipV4(), prefix: 32, all: "0.0.0.0/0" },
    6: { ip: fc.ipV6(), prefix: 128, all: "::/0" },
  };
  // What every version can say: at most an address a family, IPv4 first, and routes of families that there are.
  const part = (family: 4 | 6) => {
    const { ip, prefix, all } = shapes[family];
    const address = fc.tuple(ip, fc.nat(prefix)).map(([text, length]) => `${text}/${length}`);
    const route = fc.record({ dst: fc.oneof(fc.constant(all), address), gw: ip }, { requiredKeys: ["dst"] });
    return fc.record({
      ip: fc.record({ address, gateway: ip }, { requiredKeys: ["address"] }),
      routes: fc.array(route, { maxLength: 3 }),
    });
  };
  const parts = fc
    .tuple(fc.option(part(4)), fc.option(part(6)))
    .map((both) => both.filter((one) => one !== null))
    .filter((both) => both.length > 0);
  const result = fc
    .record({ parts, dns: fc.option(fc.constant({ nameservers: ["10.0.0.53"] })) })
    .map(({ parts, dns }) => {
      const routes = parts.flatMap((one) => one.routes);
      const ips = parts.map(({ ip }) => ip);
      return { cniVersion: "1.0.0", ips, ...(routes.length > 0 && { routes }), ...(dns && { dns }) };
    });

  it("nothing is lost", () => {
    fc.assert(
      fc.property(result, version, version, (start, via, over) => {
        const back = convertResult(convertResult(convertResult(start, via), over), "1.0.0");
        expect(back).toEqual(start);
      }),
      { numRuns: 500 },
    );
  });

  it("and each stop has the shape of its version", () => {
    fc.assert(
      fc.property(result, version, (start, to) => {
        const there = convertResult(start, to);
        expect(there["cniVersion"]).toBe(to);
        expect(hasAddresses(there)).toBe(true);
        expect(shapeOf(there)).toBe(expectedShape(to));
      }),
    );
  });
});

describe("hasAddresses", () => {
  it.each([
    { ips: [{ address: "10.0.0.1/24" }] },
    { ip4: { ip: "10.0.0.1/24" } },
    { ip4: null, ip6: { ip: "fd00::1/64" } },
  ])("%j has", (result) => {
    expect(hasAddresses(result)).toBe(true);
  });

  it.each([
    undefined,
    null,
    [],
    "10.0.0.1",
    {},
    { ips: [] },
    { ips: null },
    { ips: [null] },
    { ips: ["10.0.0.1/24"] },
    { ips: [{ address: 5 }] },
    { ips: [{ address: "10.0.0.1/24" }, {}] },
    { ip4: null, ip6: null },
    { ip4: {} },
    { ip4: "10.0.0.1/24" },
    { code: 7, msg: "no" },
  ])("%j has none", (result) => {
    expect(hasAddresses(result)).toBe(false);
  });

  it("lets nothing through that can't be converted", () => {
    const value = fc.jsonValue({ maxDepth: 2 });
    const ip = fc.record({ address: fc.string(), gateway: value, version: value }, { requiredKeys: [] });
    const old = fc.record({ ip: fc.string(), gateway: value, routes: value }, { requiredKeys: [] });
    const rubbish = fc.record(
      { ips: fc.oneof(fc.array(ip), value), ip4: old, ip6: fc.oneof(old, value), routes: value, dns: value },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(rubbish, fc.constantFrom(...versions), (result, to) => {
        if (hasAddresses(result)) expect(convertResult(result, to)["cniVersion"]).toBe(to);
      }),
      { numRuns: 2000 },
    );
  });
});

function expectedShape(version: CniVersion): string {
  if (!isAtLeast(version, "0.3.0")) return "ip4 and ip6";
  return isAtLeast(version, "1.0.0") ? "ips" : "ips with version";
}

function shapeOf(result: Record<string, unknown>): string {
  if (result["ip4"] || result["ip6"]) return result["ips"] ? "both" : "ip4 and ip6";
  const ips = result["ips"] as { version?: string }[];
  const told = ips.filter(({ version }) => version !== undefined).length;
  return told === 0 ? "ips" : told === ips.length ? "ips with version" : "a mixture";
}
