import { describe, expect, it } from "vitest";
import { parseConfiguredNetworks } from "../../src/cni/configured-networks.ts";
import { JsonSyntaxError } from "../../src/text/json.ts";

const read = (value: unknown) => parseConfiguredNetworks(JSON.stringify(value));

describe("the networks of a configuration", () => {
  it("are those that use one of our plugins, alone or in a list", () => {
    const ipam = { type: "kube-node", dataDir: "/data" };
    expect(read({ name: "n", type: "bridge", ipam })).toEqual([{ network: "n", dataDir: "/data" }]);
    expect(read({ name: "n", plugins: [{ type: "bridge", ipam }, { type: "portmap" }] })).toEqual([
      { network: "n", dataDir: "/data" },
    ]);
    expect(read({ name: "n", ipam: { type: "kube-node", dataDir: "" } })).toEqual([{ network: "n" }]);
  });

  it("have the usual dataDir with node-annotation, which has no such key", () => {
    expect(read({ name: "n", ipam: { type: "node-annotation", dataDir: "/x" } })).toEqual([{ network: "n" }]);
  });

  it.each([
    [{ name: "n", ipam: { type: "host-local" } }],
    [{ name: 5, ipam: { type: "kube-node" } }],
    [{ name: "n", ipam: "kube-node" }],
    [{ name: "n", plugins: [null, 7, []] }],
    [[]],
    [null],
  ])("are none in %j", (value) => {
    expect(read(value)).toEqual([]);
  });

  it("are not to be had of what is no JSON", () => {
    expect(() => parseConfiguredNetworks("{")).toThrow(JsonSyntaxError);
  });
});
