import { describe, expect, it } from "vitest";
import { readNetworksOf } from "../../src/survey/network.ts";
import { podCIDRsKey, readAnnotation, readNodeFacts, readPodCIDRs } from "../../src/survey/node-ranges.ts";
import { readPodAddresses } from "../../src/survey/pod-address.ts";
import { chooseKeys } from "../../src/survey/range-keys.ts";
import { formatRangeSet, rangeSetsOf } from "../../src/survey/range-set.ts";

const network = (config: unknown) =>
  readNetworksOf({
    metadata: { namespace: "ns", name: "n" },
    spec: { config: typeof config === "string" ? config : JSON.stringify(config) },
  });

describe("a NetworkAttachmentDefinition", () => {
  it.each([
    [{ ipam: { type: "kube-node", annotation: "k" } }, { name: "ns/n", key: "k", plugin: "kube-node" }],
    [
      { ipam: { type: "kube-node", annotation: "spec.podCIDRs" } },
      { name: "ns/n", key: "spec.podCIDRs (annotation)", plugin: "kube-node" },
    ],
    [{ ipam: { type: "kube-node" } }, { name: "ns/n", key: podCIDRsKey, plugin: "kube-node" }],
    [
      { ipam: { type: "kube-node", pool: "a" } },
      { name: "ns/n", key: "ippool.ipam.kube-node.io/a", plugin: "kube-node" },
    ],
    [{ ipam: { type: "kube-node", Annotation: "k" } }, { name: "ns/n", key: "k", plugin: "kube-node" }],
    [
      { plugins: [{}, { ipam: { type: "node-annotation", annotation: "k" } }] },
      { name: "ns/n", key: "k", plugin: "node-annotation" },
    ],
    [
      { ipam: { type: "nv-ipam", poolName: "a", poolType: "CIDRPool" } },
      { name: "ns/n", key: "cidrpool.ipam.kube-node.io/a", plugin: "kube-node" },
    ],
    [{ ipam: { type: "node-annotation" } }, undefined],
    [{ ipam: { type: "whereabouts" } }, undefined],
    [{ type: "bridge" }, undefined],
    ["{", undefined],
    ["", undefined],
  ])("%j", (config, expected) => expect(network(config)).toEqual(expected && [expected]));
});

it("a NetworkAttachmentDefinition of two pools is one for each", () => {
  const ipam = { type: "kube-node", poolName: "v4, v6", poolType: "CIDRPool" };
  const keys = network({ ipam })?.map(({ key }) => key);
  expect(keys).toEqual(["cidrpool.ipam.kube-node.io/v4", "cidrpool.ipam.kube-node.io/v6"]);
});

describe("a pod's addresses", () => {
  const status = [
    { name: "cbr0", ips: ["10.0.0.2"], default: true },
    { name: "ns/net1", ips: ["172.16.0.2", "FD00:0::2"] },
    { name: "ns/net2" },
  ];
  const pod = (changes: { spec?: object; status?: object; text?: string } = {}) => ({
    metadata: {
      namespace: "ns",
      name: "p",
      creationTimestamp: "2026-01-01T00:00:00Z",
      annotations: { "k8s.v1.cni.cncf.io/network-status": changes.text ?? JSON.stringify(status) },
    },
    spec: { nodeName: "a", ...changes.spec },
    status: { podIPs: [{ ip: "10.0.0.2" }], startTime: "2026-01-02T00:00:00Z", ...changes.status },
  });

  it("are its own and those that Multus reports, each once, in canonical text", () => {
    const rest = { namespace: "ns", pod: "p", node: "a", since: "2026-01-02T00:00:00Z" };
    expect(readPodAddresses(pod())).toEqual([
      { address: "10.0.0.2", network: "pod network", ...rest },
      { address: "172.16.0.2", network: "ns/net1", ...rest },
      { address: "fd00::2", network: "ns/net1", ...rest },
    ]);
  });

  it.each([
    ["its node's network", { spec: { hostNetwork: true } }],
    ["no node yet", { spec: { nodeName: "" } }],
    ["an end that was good", { status: { phase: "Succeeded" } }],
    ["an end that was bad", { status: { phase: "Failed" } }],
  ])("are none where it has %s", (_, changes) => expect(readPodAddresses(pod(changes))).toBeUndefined());

  it.each(["{", "[1]", "{}", '[{"ips": "x"}]', '[{"name": "n", "ips": [1, "no address"]}]'])(
    "stand a strange status: %s",
    (text) => {
      expect(readPodAddresses(pod({ text }))?.map(({ address }) => address)).toEqual(["10.0.0.2"]);
    },
  );
});

describe("which annotations are ranges", () => {
  const net = { name: "ns/n", key: "named", plugin: "kube-node" as const };

  it("without --key: what networks name, what is made of ranges, and what has kube-node in its key", () => {
    const keys = chooseKeys([net], []);
    const isOne = (key: string, value: string) => [keys.isOne(key, value), keys.reasons.get(key)];
    expect(isOne("named", "rubbish")).toEqual([true, "named by NetworkAttachmentDefinition ns/n"]);
    expect(isOne("a", "10.0.0.0/24")).toEqual([true, "its value is made of ranges"]);
    expect(isOne("b", 'ranges: [[{subnet: "10.0.0.0/24"}]]')).toEqual([true, "its value is made of ranges"]);
    expect(isOne("kube-node.io/x", "rubbish")).toEqual([true, 'has "kube-node" in its key']);
    for (const [key, value] of [
      ["projectcalico.org/IPv4Address", "10.0.0.1/24"],
      ["node.alpha.kubernetes.io/ttl", "0"],
      ["kubectl.kubernetes.io/last-applied-configuration", '{"apiVersion":"v1","cidr":"10.0.0.0/24"}'],
      ["flannel.alpha.coreos.com/public-ip", "192.0.2.1"],
      ["date", "10/24"],
    ] as const)
      expect(isOne(key, value)).toEqual([false, undefined]);
  });

  it.each([[[]], [[podCIDRsKey]]])(
    "an annotation called spec.podCIDRs is not the Node's podCIDRs (--key %j)",
    (given) => {
      expect(chooseKeys([net], given).isOne(podCIDRsKey, "10.1.1.0/24")).toBe(false);
    },
  );

  it("with --key: those alone", () => {
    const keys = chooseKeys([net], ["k"]);
    expect([
      keys.isOne("k", "rubbish"),
      keys.isOne("named", "10.0.0.0/24"),
      keys.isOne("a", "10.0.0.0/24"),
    ]).toEqual([true, false, false]);
  });
});

describe("a Node's ranges", () => {
  const spell = (text: string) => readAnnotation("a", "k", text).ranges.map(formatRangeSet);
  const sizes = (text: string) => rangeSetsOf(readAnnotation("a", "k", text)).map(({ size }) => size);

  it("in either grammar, spelt as people write them", () => {
    expect(spell("10.0.0.0/24,fd00::/64")).toEqual(["10.0.0.0/24", "fd00::/64"]);
    expect(spell("10.0.0.9-10.0.0.12/24")).toEqual(["10.0.0.9-10.0.0.12/24"]);
    expect(
      spell('ranges: [[{subnet: "10.0.0.0/24", rangeStart: "10.0.0.9"}, {subnet: "10.1.0.0/24"}]]'),
    ).toEqual(["10.0.0.9-10.0.0.254/24 10.1.0.0/24"]);
  });

  it("have the addresses that host-local gives: without network, broadcast and gateway", () => {
    expect(sizes("10.0.0.0/24,fd00::/64")).toEqual([253n, 2n ** 64n - 2n]);
    expect(sizes("10.0.0.9-10.0.0.12/24")).toEqual([4n]);
    expect(sizes('[[{"subnet": "10.0.0.0/29", "gateway": "10.0.0.6"}]]')).toEqual([5n]);
  });

  it("are told apart from what the plugin would refuse, podCIDRs included", () => {
    expect(readAnnotation("a", "k", "10.0.0.1/24")).toMatchObject({
      ranges: [],
      malformed: expect.stringContaining("host bits set"),
    });
    expect(readAnnotation("a", "k", "10.0.0.0/24", { plugin: "node-annotation" }).malformed).toBeDefined();
    const facts = { name: "a", uid: "u", resourceVersion: "1", annotations: {} };
    expect(readPodCIDRs({ ...facts, podCIDRs: ["10.0.0.0/32"] })).toMatchObject({
      malformed: expect.stringContaining("too small"),
    });
    expect(readPodCIDRs({ ...facts, podCIDRs: [] })).toBeUndefined();
  });

  it("are read of a Node with the old podCIDR alone", () => {
    const node = {
      metadata: { name: "a", uid: "u", resourceVersion: "7", annotations: { k: "1", l: "2" } },
      spec: { podCIDR: "10.0.0.0/24" },
    };
    expect(readNodeFacts(node, (key) => key === "l")).toEqual({
      name: "a",
      uid: "u",
      resourceVersion: "7",
      podCIDRs: ["10.0.0.0/24"],
      annotations: { l: "2" },
    });
  });

  it("has an annotation that is named like podCIDRs by another name", () => {
    const metadata = {
      name: "a",
      uid: "u",
      resourceVersion: "7",
      annotations: { [podCIDRsKey]: "10.9.0.0/24" },
    };
    const facts = readNodeFacts({ metadata, spec: { podCIDRs: ["10.0.0.0/24"] } }, () => true);
    expect(facts).toMatchObject({
      podCIDRs: ["10.0.0.0/24"],
      annotations: { "spec.podCIDRs (annotation)": "10.9.0.0/24" },
    });
    expect(Object.keys(facts?.annotations ?? {})).toHaveLength(1);
  });
});
