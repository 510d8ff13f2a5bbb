import { describe, expect, it } from "vitest";
import { rangeSetsFault } from "../../src/api/range-rules.ts";
import { parseNetwork } from "../../src/cni/network.ts";
import { anyRanges, delegateIpam, gateFamilies, withIpam } from "../../src/request/delegate-config.ts";
import { makeRequest } from "../plugin/request-parts.ts";

const v4 = [{ subnet: "10.1.2.0/24" }];
const v6 = [{ subnet: "fd00::/64" }];
const dotted = [{ subnet: "4000::16.0.0.0/120" }];

describe("gateFamilies", () => {
  const both = { ranges: [v4, v6] };
  const only6 = { ranges: [v6] };

  it.each<[string, string[] | undefined, string | undefined, object]>([
    ["no list, namespace known", undefined, "prod", both],
    ["no list, namespace unknown", undefined, undefined, both],
    ["a list with the namespace", ["kube-system", "prod"], "prod", both],
    ["a list without it", ["kube-system"], "prod", only6],
    ["a list, namespace unknown", ["kube-system"], undefined, only6],
    ["an empty list, namespace known", [], "prod", only6],
    ["an empty list, namespace unknown", [], undefined, only6],
    ["an empty name in the list, namespace unknown", [""], undefined, only6],
    ["a namespace that only looks alike", ["Prod", "prod2"], "prod", only6],
  ])("%s", (_, namespaces, namespace, expected) => {
    const pod = namespace === undefined ? {} : { namespace };
    expect(gateFamilies(both, namespaces, pod, "node-a")).toEqual(expected);
  });

  it("keeps the order, every IPv6 set, and what stands beside", () => {
    const found = { ranges: [v6, v4, dotted], routes: [{ dst: "::/0" }] };
    expect(gateFamilies(found, [], {}, "node-a")).toEqual({
      ranges: [v6, dotted],
      routes: [{ dst: "::/0" }],
    });
  });

  it("knows sets that people have not nested", () => {
    expect(gateFamilies({ ranges: [v4[0], v6[0]] }, [], {}, "node-a")).toEqual({ ranges: [v6[0]] });
  });

  it("says 104 where nothing is left, and why", () => {
    expect(() => gateFamilies({ ranges: [v4] }, ["kube-system"], { namespace: "prod" }, "node-a")).toThrow(
      expect.objectContaining({
        code: 104,
        message: "Node node-a has only IPv4 ranges, and this pod may not have IPv4",
        details: expect.stringContaining("ipam.ipv4-namespaces keeps IPv4 from namespace prod"),
      }),
    );
    expect(() => gateFamilies({ ranges: [v4] }, ["kube-system"], {}, "node-a")).toThrow(
      expect.objectContaining({ details: expect.stringContaining("a pod of unknown namespace") }),
    );
    expect(() => gateFamilies({ ranges: [v4] }, [], { namespace: "prod" }, "node-a")).toThrow(
      expect.objectContaining({
        message: "Node node-a has only IPv4 ranges, and no pod may have IPv4",
        details: expect.stringContaining("every namespace"),
      }),
    );
  });
});

describe("delegateIpam", () => {
  it("is what the configuration passes on, and what the Node says", () => {
    const request = makeRequest({ passedOn: { resolvConf: "/r", type: "kube-node" } });
    expect(delegateIpam(request, { ranges: [v4] })).toEqual({
      type: "host-local",
      dataDir: request.dataDir,
      resolvConf: "/r",
      ranges: [v4],
    });
  });

  it("has the routes of both", () => {
    const request = makeRequest({ passedOn: { routes: [{ dst: "10.0.0.0/8" }] } });
    const found = { ranges: [v4], routes: [{ dst: "0.0.0.0/0" }] };
    expect(delegateIpam(request, found)["routes"]).toEqual([{ dst: "10.0.0.0/8" }, { dst: "0.0.0.0/0" }]);
    expect(delegateIpam(request, { ranges: [v4] })["routes"]).toEqual([{ dst: "10.0.0.0/8" }]);
    expect(delegateIpam(makeRequest(), found)["routes"]).toEqual([{ dst: "0.0.0.0/0" }]);
  });

  it("lets an annotation's body have the last word", () => {
    const body = { ranges: [v4], dataDir: "/own", type: "other" };
    expect(delegateIpam(makeRequest({ passedOn: { dataDir: "/passed" } }), body)).toEqual(body);
  });
});

describe("withIpam", () => {
  it("leaves the rest of the configuration as it came", () => {
    const raw = { cniVersion: "1.0.0", name: "net1", mtu: 1400, args: { cni: {} }, prevResult: { ips: [] } };
    const network = parseNetwork(JSON.stringify({ ...raw, ipam: { type: "kube-node" } }));
    expect(withIpam(makeRequest({ network }), { type: "host-local" })).toEqual({
      ...raw,
      ipam: { type: "host-local" },
    });
  });
});

describe("anyRanges", () => {
  it("are ranges that host-local takes", () => {
    expect(rangeSetsFault(anyRanges["ranges"], "ranges")).toBeUndefined();
  });
});
