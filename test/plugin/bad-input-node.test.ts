import { writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { testFolder } from "../host/folder.ts";
import { call, copyOfData, expectError, expectSuccess, logOf, type World } from "./bad-input.ts";
import { checkRows, describeEverywhere, type Row } from "./bad-input-suite.ts";

let count = 0;

/** The call for a Node that is made for it. */
function onNode(node: { podCIDRs?: string[]; annotations?: Record<string, string> }, ipam: object = {}) {
  return async ({ server }: World) => {
    const nodeName = `node-${++count}`;
    await server.createNode({ name: nodeName, ...node });
    return { ipam: { nodeName, ...ipam } };
  };
}

/** The call for network ranges in the annotation "ranges", with this text. */
const annotated = (text: string) => onNode({ annotations: { ranges: text } }, { annotation: "ranges" });
const malformed = (...parts: RegExp[]) => [/annotation ranges of Node node-\d+ is malformed/, ...parts];

const nodes: Row[] = [
  [
    "an unknown Node",
    { ipam: { nodeName: "nobody" } },
    102,
    [
      /the API server has no such Node/,
      /"nobody" not found/,
      /check ipam\.nodeName, \$NODE_NAME and kubectl get nodes/,
    ],
    "frees",
    "sample",
  ],
  [
    "a name that no Node can have",
    { ipam: { nodeName: "No_Body/x" } },
    102,
    [/no Node can have the name "No_Body\/x"/],
    "frees",
  ],
  [
    "an unknown Node in $NODE_NAME",
    { ipam: { nodeName: null }, env: { NODE_NAME: "nobody" } },
    102,
    [/no such Node/, /\$NODE_NAME/],
    "frees",
  ],
  [
    "a Node without podCIDRs",
    onNode({}),
    103,
    [
      /Node node-\d+ has no spec\.podCIDRs/,
      /--allocate-node-cidrs; or name an annotation in ipam\.annotation/,
    ],
    "frees",
    "sample",
  ],
];

const annotations: Row[] = [
  [
    "absent",
    onNode({ podCIDRs: ["10.1.2.0/24"] }, { annotation: "ranges" }),
    103,
    [/Node node-\d+ has no annotation ranges/, /kubectl annotate node node-\d+ ranges=10\.1\.2\.0\/24/],
    "frees",
    "sample",
  ],
  [
    "empty",
    annotated(""),
    103,
    malformed(/at character 1: the annotation is empty: expected a network/),
    "frees",
  ],
  ["blank", annotated(" \n"), 103, malformed(/at character 1: the annotation is empty/), "frees"],
  [
    "malformed",
    annotated("10.1.2.0/24, fish"),
    103,
    malformed(
      /at character 14: "fish" is no CIDR: expected an address/,
      /the value is "10\.1\.2\.0\/24, fish"/,
    ),
    "frees",
    "sample",
  ],
  [
    "of one family twice",
    annotated("10.1.2.0/24,10.1.3.0/24"),
    103,
    malformed(/at character 13: a second IPv4 network: expected one of each family; several go into JSON/),
    "frees",
  ],
  [
    "of three networks",
    annotated("10.1.2.0/24,fd00::/64,10.1.3.0/24"),
    103,
    malformed(/character 23: a third/),
    "frees",
  ],
  [
    "with host bits",
    annotated("10.1.2.3/24"),
    103,
    malformed(/character 1: .*host bits.*write 10\.1\.2\.0\/24/),
    "frees",
  ],
  [
    "a /31",
    annotated("10.1.2.0/31"),
    103,
    malformed(/too small to give pods addresses: expected \/30/),
    "frees",
  ],
  ["a /32", annotated("10.1.2.0/32"), 103, malformed(/too small/), "frees"],
  [
    "a /127",
    annotated("fd00::/127"),
    103,
    malformed(/too small to give pods addresses: expected \/126/),
    "frees",
  ],
  ["a /128", annotated("fd00::1/128"), 103, malformed(/too small/), "frees"],
  [
    "v4-mapped",
    annotated("::ffff:10.1.2.0/120"),
    103,
    malformed(/written as IPv6: write it as IPv4/),
    "frees",
  ],
  [
    "half a JSON",
    annotated('[[{"subnet": '),
    103,
    malformed(/at character 14: JSON is malformed: expected a value/),
    "frees",
  ],
  [
    "JSON with a typing error",
    annotated('[[{"subnet": "10.1.2.0/24", "rangeStrat": "10.1.2.9"}]]'),
    103,
    malformed(/at character 29: \[0\]\[0\]\.rangeStrat: unknown key \(did you mean "rangeStart"\?\)/),
    "frees",
  ],
  [
    "JSON with an overlap",
    annotated('[[{"subnet": "10.1.2.0/24"}], [{"subnet": "10.0.0.0/8"}]]'),
    103,
    malformed(/\[1\]\[0\]: 10\.0\.0\.0\/8 overlaps with 10\.1\.2\.0\/24 of \[0\]\[0\]/),
    "frees",
  ],
  [
    "JSON with a gateway outside",
    annotated('[[{"subnet": "10.1.2.0/24", "gateway": "10.1.3.1"}]]'),
    103,
    malformed(/gateway: 10\.1\.3\.1 is outside of 10\.1\.2\.0\/24/),
    "frees",
  ],
  ["of brackets alone", annotated("[".repeat(10_000)), 103, malformed(/at most 64 brackets/), "frees"],
  [
    "200,000 letters long",
    annotated("x".repeat(200_000)),
    103,
    malformed(/character 1: "x{60}…" is no CIDR/),
    "frees",
  ],
  [
    "200,000 letters in a span",
    annotated(`10.0.0.1-${"x".repeat(200_000)}`),
    103,
    malformed(/is no IP address/),
    "frees",
  ],
  [
    "two lines and control characters",
    annotated("10.1.2.0/24\u0000\n\u001b[31m"),
    103,
    malformed(/is no CIDR/),
    "frees",
  ],
  [
    "IPv4 alone, for a pod that may not have it",
    onNode(
      { annotations: { ranges: "10.9.0.0/24" } },
      { annotation: "ranges", "ipv4-namespaces": ["kube-system"] },
    ),
    104,
    [/Node node-\d+ has only IPv4 ranges, and this pod may not have IPv4/, /ipam\.ipv4-namespaces/],
    "frees",
  ],
];

describeEverywhere("what is wrong with the Node", (world, isSample) => {
  checkRows(world, nodes, isSample);
});

describeEverywhere("what is wrong with the annotation", (world, isSample) => {
  checkRows(world, annotations, isSample);

  it("is said of what was written last, though better was known", async () => {
    const { server } = world();
    await server.createNode({ name: "changing", annotations: { ranges: "10.5.0.0/24" } });
    const dataDir = copyOfData(world(), testFolder());
    const bad = {
      ipam: { nodeName: "changing", annotation: "ranges", timeout: 20 },
      network: { name: "changing" },
    };
    const status = { ...bad, network: { name: "changing", cniVersion: "1.1.0" } };
    expectSuccess(world(), await call(world(), "ADD", "c1", bad, dataDir));
    await server.setAnnotation("changing", "ranges", "10.5.0.0/31");
    expectError(world(), await call(world(), "ADD", "c2", bad, dataDir), 103, [/too small/]);
    expectError(world(), await call(world(), "STATUS", "", status, dataDir), 50, [
      /annotation ranges of Node changing is malformed/,
    ]);
    expectSuccess(world(), await call(world(), "CHECK", "c1", bad, dataDir));
    expectSuccess(world(), await call(world(), "DEL", "c1", bad, dataDir));
    await server.setAnnotation("changing", "ranges", null);
    expectError(world(), await call(world(), "ADD", "c2", bad, dataDir), 103, [/has no annotation ranges/]);
    await server.deleteNode("changing");
    expectError(world(), await call(world(), "ADD", "c2", bad, dataDir), 102, [/no such Node/]);
    expect(logOf(dataDir)).not.toContain("last-known ranges");
  });
});

describeEverywhere("credentials of another machine", (world) => {
  it("are refused: a disk that was copied carries the first one's", async () => {
    const { server } = world();
    await server.createNode({ name: "original", machineID: "another-machine", podCIDRs: ["10.6.0.0/24"] });
    const folder = testFolder();
    const kubeconfig = `${folder}/kubeconfig`;
    writeFileSync(kubeconfig, await server.kubeconfigFor({ kind: "kubelet", node: "original" }), {
      mode: 0o600,
    });
    const dataDir = copyOfData(world(), folder);
    const bad = { ipam: { kubeconfig, nodeName: null }, network: { name: "net2" } };
    expectError(world(), await call(world(), "ADD", "c1", bad, dataDir), 102, [
      /credentials name Node original, which has another machine-id/,
      /set ipam\.nodeName or \$NODE_NAME/,
    ]);
    expectSuccess(world(), await call(world(), "DEL", "c1", bad, dataDir));
  });
});
