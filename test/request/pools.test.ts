import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type PluginConfig, readConfig } from "../../src/api/plugin-config.ts";
import { CniError } from "../../src/cni/error.ts";
import type { Network } from "../../src/cni/network.ts";
import { pools } from "../../src/ranges/pool-source.ts";
import { readPools } from "../../src/request/pools.ts";
import type { Pooled } from "../../src/request/request.ts";
import { isObject, type JsonObject } from "../../src/text/json.ts";

function networkOf(raw: JsonObject): Network {
  return { name: "net1", cniVersion: "1.0.0", raw: { name: "net1", ...raw } };
}

function labelOf(ipam: JsonObject, cni: unknown): string | undefined {
  const config = readConfig(ipam)?.config as PluginConfig;
  return readPools(config, networkOf({ args: { cni } }))?.source.label;
}

describe("which pools a request is for", () => {
  it.each<[JsonObject, unknown, string | undefined]>([
    [{ pool: "a" }, undefined, "IPPool a"],
    [{ poolName: "a", poolType: "CIDRPool" }, {}, "CIDRPool a"],
    [{ poolType: "ippool" }, null, "IPPool net1"],
    [{ pool: "a , b" }, undefined, "IPPool a,b"],
    [{ pool: "a" }, { poolNames: ["b"] }, "IPPool b"],
    [{ pool: "a" }, { PoolNames: ["b", "c"], POOLTYPE: "CidrPool" }, "CIDRPool b,c"],
    [{ pool: "a", poolType: "cidrpool" }, { poolType: "ippool" }, "IPPool a"],
    [{ pool: "a" }, { poolNames: null, poolType: "" }, "IPPool a"],
    [{ pool: "a" }, { poolNames: [] }, "IPPool a"],
    [{}, { poolNames: null, poolType: "cidrpool" }, undefined],
    [{ annotation: "k" }, { poolNames: [] }, undefined],
  ])("ipam %j, args.cni %j: %s", (ipam, cni, label) => expect(labelOf(ipam, cni)).toBe(label));

  it.each<[JsonObject, string]>([
    [{ poolNames: ["a", "b", "c"] }, "args.cni.poolNames is malformed"],
    [{ poolNames: ["a,b"] }, "args.cni.poolNames is malformed"],
    [{ poolNames: ["../a"] }, "args.cni.poolNames is malformed"],
    [{ poolNames: 5 }, "args.cni.poolNames is malformed"],
    [{ poolType: "pool" }, "args.cni.poolType is malformed"],
  ])("args.cni %j is refused", (cni, words) => {
    expect(() => labelOf({ pool: "a" }, cni)).toThrow(words);
  });
});

describe("what a pod asks for", () => {
  const block = {
    name: "ippool.a.0",
    subnet: "10.1.0.0/24",
    ranges: ["10.1.0.1-10.1.0.9"],
    gateway: "10.1.0.1",
  };
  const text = JSON.stringify({ version: 1, nodeUID: "u", holdsFor: 1, blocks: [block] });
  const ipam = { type: "host-local", ...pools("IPPool", ["a"]).parse(["u", text], "n") };
  const ask = (raw: JsonObject, args: Map<string, string>) => {
    const pooled = readPools({ pool: "a" }, networkOf(raw))?.pooled as Pooled;
    return pooled.askFor(ipam, {
      node: "n",
      args,
      stateFolder: "/none",
      env: { CNI_ARGS: [...args].map((pair) => pair.join("=")).join(";") },
    });
  };

  /** What a delegate that reads keys in any letter case may take for addresses. */
  function addressesFor({ args, runtimeConfig }: JsonObject): unknown[] {
    const under = (object: unknown, name: string) =>
      Object.entries(isObject(object) ? object : {}).flatMap(([key, value]) =>
        key.toLowerCase() === name ? [value] : [],
      );
    const lists = [...under(args, "cni"), runtimeConfig].flatMap((one) => under(one, "ips"));
    return lists.flatMap((list) => (Array.isArray(list) ? list : []));
  }

  it.each<[JsonObject, string]>([
    [{ args: { cni: { IPs: null, ips: ["10.9.0.1"] } } }, "args.cni.ips stands there twice"],
    [{ args: { cni: {}, CNI: { ips: ["10.9.0.1"] } } }, "args.cni stands there twice"],
    [{ runtimeConfig: { ips: [], IPS: ["10.9.0.1"] } }, "runtimeConfig.ips stands there twice"],
    [{ args: { cni: { poolType: "ippool", PoolType: "cidrpool" } } }, "args.cni.poolType stands there twice"],
    [{ runtimeConfig: { ips: [false] } }, "runtimeConfig.ips is malformed"],
    [{ args: { CNI: { ips: ["10.9.0.1"] } } }, "10.9.0.1 is not in Node n's block of"],
  ])("%j is refused", (raw, words) => expect(() => ask(raw, new Map())).toThrow(words));

  it("is an address of the block, or a CNI error; never anything else", () => {
    const value = fc.oneof(
      fc.constantFrom<unknown>(
        "10.1.0.5",
        ["10.1.0.5/24"],
        ["10.1.0.1"],
        ["10.9.0.1"],
        ["::1"],
        3,
        0,
        -1,
        true,
        false,
        null,
      ),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const key = fc.constantFrom(
      "ips",
      "IPs",
      "allocateIPWithIndex",
      "allocateDefaultGateway",
      "poolNames",
      "poolType",
    );
    const object = fc.array(fc.tuple(key, value), { maxLength: 3 }).map((pairs) => Object.fromEntries(pairs));
    const any = fc.oneof(object, fc.jsonValue({ maxDepth: 1 }));
    const ip = fc.constantFrom("", "10.1.0.6", "10.9.0.1", "fish");
    fc.assert(
      fc.property(any, any, ip, fc.constantFrom("cni", "CNI"), (cni, runtimeConfig, own, spelling) => {
        try {
          const { raw } = ask({ args: { [spelling]: cni }, runtimeConfig }, new Map([["IP", own]]));
          for (const one of addressesFor(raw)) expect(one).toMatch(/^10\.1\.0\.[1-9]$/);
        } catch (error) {
          if (!(error instanceof CniError)) throw error;
          expect([7, 106]).toContain(error.code);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("leaves the environment as it is where it says nothing of addresses", () => {
    const env = { CNI_ARGS: "K8S_POD_NAME=a" };
    const pooled = readPools({ pool: "a" }, networkOf({}))?.pooled as Pooled;
    expect(pooled.askFor(ipam, { node: "n", args: new Map(), stateFolder: "/none", env }).env).toBe(env);
  });
});
