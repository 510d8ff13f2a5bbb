// Each fault is found at the very key or value, wherever that stands: in JSON, in YAML, in JSON inside YAML.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { checkFiles } from "../../src/check/check-files.ts";
import { expectFound } from "./marked.ts";

const nad = (config: string) => `# A comment
apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata:
  name: net1
spec:
${config}`;

describe("a plugin configuration", () => {
  it("is good", () => {
    expectFound(
      `{"cniVersion": "1.0.0", "name": "net1", "type": "bridge",
        "ipam": {"type": "kube-node", "annotation": "a/b", "routes": [{"dst": "0.0.0.0/0"}], "resolvConf": "/etc/r"}}`,
      [],
    );
  });

  it("of pools is good, by our keys and by nv-ipam's", () => {
    for (const keys of ['"pool": "a"', '"poolName": "a, b", "poolType": "CIDRPool"', '"poolType": "ippool"'])
      expectFound(`{"name": "n", "type": "bridge", "ipam": {"type": "kube-node", ${keys}}}`, []);
  });

  it.each<[string, (RegExp | string)[]]>([
    [
      '{"name": "n", "type": "bridge", "ipam": {"type": "kube-node", «"poolNam": "a"}}',
      [/ipam\.poolNam: unknown key \(did you mean "poolName"\?\)/],
    ],
    [
      '{"name": "n", "type": "bridge", "ipam": {"type": "kube-node", "annotation": "a/b", "POOL": «"a"}}',
      [/ipam\.POOL: beside annotation: .*write one of them/],
    ],
    [
      '{"name": "n", "type": "bridge", "ipam": {"type": "kube-node", "pool": "a", "poolName": «"a"}}',
      [/ipam\.poolName: the same as pool: write one of them/],
    ],
    [
      '{"name": "n", "type": "bridge", "ipam": {"type": "kube-node", "pool": «"a,b,c", "poolType": «"pool"}}',
      [/ipam\.pool: expected the name of a pool, or of two/, /ipam\.poolType: expected ippool or cidrpool/],
    ],
    [
      '{"name": "n", "type": "bridge", "ipam": {"type": "kube-node", "pool": "a", «"daemonSocket": "unix:///d"}}',
      [/warning: ipam\.daemonSocket: nv-ipam's own key/],
    ],
    [
      '{"name": "n", "type": "bridge", "ipam": {"type": "kube-node", «"anotation": "a/b"}}',
      [/error: ipam\.anotation: unknown key \(did you mean "annotation"\?\)/],
    ],
    [
      '{"name": "n", "type": "bridge", "ipam": {"type": "kube-node", «"kind": 1}}',
      ["error: ipam.kind: unknown key: neither kube-node nor host-local reads it"],
    ],
    [
      '{"name": "n", "type": "bridge", "ipam": {"type": "kube-node", "nextipam": "other", «"kind": 1}}',
      [/warning: ipam\.kind: .*goes to other/],
    ],
    [
      '{"name": "n", "type": "bridge", "ipam": {"type": "kube-node", "nextipam": "other", «"datadri": "/a"}}',
      [/error: .*did you mean "dataDir"/],
    ],
    [
      '{"name": "n", "type": "bridge", "ipam": {"type": "kube-node", "annotation": «5}}',
      [/ipam\.annotation: expected string, received number/],
    ],
    [
      '{"name": "n", "type": "bridge", "ipam": {"type": "kube-node", "ipv4-namespaces": ["a", «7]}}',
      [/ipam\.ipv4-namespaces\[1\]: /],
    ],
    [
      '{"name": "n", "type": "bridge", "ipam": {"type": "kube-node", "TIMEOUT": «1}}',
      [/ipam\.TIMEOUT: .*>=\s?2/],
    ],
    [
      '{"name": "n", "type": "bridge", "ipam": {"type": "kube-node", «"ranges": []}}',
      [/ipam\.ranges: not allowed here.*annotate the Node/],
    ],
    [
      '{"name": "n", "type": "bridge", "ipam": {"type": "kube-node", «"Subnet": "10.0.0.0/8", "timeout": «"x"}}',
      [/Subnet: not allowed/, /timeout: expected number/],
    ],
    [
      '{"name": "n", "type": "bridge", "ipam": {"type": "kube-node", «"dataDir": "/a", «"datadir": "/b"}}',
      [/same key as datadir/, /same key as dataDir/],
    ],
    [
      '{"name": "n", "type": "bridge", "ipam": {"type": "kube-node", "routes": [{"dst": «"10.0.0.0"}]}}',
      [/ipam\.routes\[0\]\.dst: expected dst/],
    ],
    [
      '{"name": "n", "type": "bridge", "ipam": {"type": "kube-node", "resolvConf": «[]}}',
      [/ipam\.resolvConf: expected a string, found an array/],
    ],
    [
      '{"name": "n", "type": "bridge", "ipam": {"type": "kube-node", "dataDir": «"/var/lib/kubelet/pods/x"}}',
      [/pods' files/],
    ],
    [
      '{"name": "n", "type": "bridge", "ipam": {"type": "kube-node", "DATADIR": «"rel/dir"}}',
      [
        /^warning: ipam\.dataDir: "rel\/dir" is relative to the runtime's working folder, .*write an absolute path$/,
      ],
    ],
    [
      '{"name": "n", "type": "bridge", "ipam": {"type": "nv-ipam", "poolName": "a", "dataDir": «"./d"}}',
      [/^warning: ipam\.dataDir: "\.\/d" is relative/],
    ],
    ['{"name": "n", "type": "bridge", "ipam": {"type": "kube-node", "dataDir": ""}}', []],
    ['{"name": "n", "type": "bridge", "ipam": {"type": «"kube_node"}}', [/did you mean "kube-node"/]],
    ['{"name": «"a b", "type": "bridge", "ipam": {"type": "kube-node"}}', [/name: "a b": expected letters/]],
    ['«{"type": "bridge", "ipam": {"type": "kube-node"}}', [/name is missing/]],
    [
      '{"name": "n", "cniVersion": «"2.0.0", "type": "bridge", "ipam": {"type": "kube-node"}}',
      [/cniVersion: "2\.0\.0": expected one of 0\.1\.0/],
    ],
    ['«{"name": "n", "ipam": {"type": "kube-node"}}', [/type: expected the plugin's name, found nothing/]],
    ['{"name": "n", "type": "bridge", «"IPAM": {"type": "kube-node"}}', [/IPAM: .*write it "ipam"/]],
    [
      '{"name": "n", "type": "bridge", "ipam": {"type": "kube-node"}, "runtimeConfig": «{"ipRanges": []}}',
      [/runtimeConfig\.ipRanges is not allowed/],
    ],
    [
      '{"name": "n", "type": "bridge", "ipam": {"type": "kube-node" «"annotation": "a/b"}}',
      [/JSON is malformed: expected "," or "}"/],
    ],
    [
      '{"name": "n", "type": "bridge", "ipam": {"type": "kube-node", "nodeName": "a", «"nodeName": "b"}}',
      [/the same key stands twice/],
    ],
    [
      '{"name": "n", "type": "ipvlan", "ipam": «{"type": "node-annotation"}}',
      [/ipam\.annotation: expected the key/],
    ],
    [
      '{"name": "n", "type": "ipvlan", "ipam": {"type": "node-annotation", "annotation": "a/b", «"ranges": []}}',
      [/node-annotation never reads it/],
    ],
    [
      '{"name": "n", "type": "ipvlan", "ipam": {"type": "node-annotation", "annotation": "a/b", «"colour": []}}',
      [/unknown key: nobody reads it/],
    ],
  ])("%s", (marked, words) => expectFound(marked, words));

  it("of another IPAM plugin is not ours to check", () => {
    expectFound('{"name": "n", "type": "bridge", "ipam": {"type": "host-local", "ranges": [], "x": 1}}', []);
  });

  it("in a list", () => {
    expectFound(
      `{
  "name": "net1",
  "cniVersion": "1.0.0",
  "plugins": [
    {"type": "bridge", "ipam": {"type": "kube-node", «"nodename ": "a"}},
    {"type": "portmap"},
    «{"capabilities": {}}
  ]
}`,
      [/did you mean "nodeName"/, /type: expected the plugin's name/],
    );
    expectFound('{"name": "n", "plugins": «[]}', [/expected an array of plugins, found an empty one/]);
  });

  it("of node-annotation's own file", () => {
    expectFound('{"kubeconfig": "/k", "nextipam": «7, «"logfile": "/l"}', [
      /nextipam: expected a string, found a number/,
      /logfile: unknown key: expected kubeconfig, nextipam, log/,
    ]);
  });
});

describe("a NetworkAttachmentDefinition", () => {
  it.each([
    [
      "a block",
      `  config: |\n    {\n      "cniVersion": "1.0.0",\n      "type": "macvlan",\n      "ipam": {\n        "type": "kube-node",\n        «"anotation": "x"\n      }\n    }\n`,
    ],
    [
      "a block without its last line end, further in",
      `  config: |2-\n      {"type": "macvlan",\n        "ipam": {"type": "kube-node", «"anotation": "x"}}\n`,
    ],
    [
      "a folded block",
      `  config: >-\n    {"type": "macvlan",\n    "ipam": {"type": "kube-node",\n\n      «"anotation": "x"}}\n`,
    ],
    [
      "single quotes",
      `  config: '{"type": "macvlan", "master": "it''s", "ipam": {"type": "kube-node", «"anotation": "x"}}'\n`,
    ],
    [
      "single quotes over lines",
      `  config: '{"type": "macvlan",\n    "ipam": {"type": "kube-node",\n\n    «"anotation": "x"}}'\n`,
    ],
    [
      "double quotes",
      `  config: "{\\"type\\": \\"macvlan\\",\\n \\"ipam\\": {\\"type\\": \\"kube-node\\", «\\"anotation\\": \\"x\\"}}"\n`,
    ],
    [
      "double quotes over lines",
      `  config: "{\\"type\\": \\"macvlan\\", \\\n    \\"ipam\\": {\\"type\\": \\"kube-node\\",\n    «\\"anotation\\": \\"x\\"}}"\n`,
    ],
  ])("whose JSON is in %s", (_, config) => {
    expectFound(nad(config), [/ipam\.anotation: unknown key \(did you mean "annotation"/]);
  });

  it("as JSON, its configuration quoted in it", () => {
    const config = JSON.stringify(
      '{"name": "n", "type": "b", "ipam": {"type": "kube-node", "anotation": 1}}',
    );
    const marked = config.replace('\\"anotation', '«\\"anotation');
    const head = '"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition"';
    expectFound(`{${head}, "metadata": {"name": "a"},\n "spec": {"config": ${marked}}}`, [/did you mean/]);
  });

  it("whose JSON is malformed, missing, or no string", () => {
    expectFound(nad(`  config: |\n    {"type": "macvlan",\n     "ipam": «}\n`), [
      /JSON is malformed: expected a value/,
    ]);
    expectFound(nad(`  «confg: '{}'\n`), [/spec\.confg: unknown key \(did you mean "config"\?\)/]);
    expectFound(nad("  config:\n    «type: macvlan\n"), [/expected JSON in a string, found an object/]);
    expectFound(nad("  {}\n"), []);
  });
});

describe("a Node", () => {
  const conf = {
    name: "net.conf",
    text: '{"name": "n", "type": "b", "ipam": {"type": "kube-node", "annotation": "example.com/n"}}',
  };
  const body = { name: "body.conf", text: conf.text.replace("kube-node", "node-annotation") };
  const node = (value: string, name = "a") =>
    `apiVersion: v1\nkind: Node\nmetadata:\n  name: ${name}\n  annotations:\n    other.example/x: 10.0.0.1/24\n    example.com/n: ${value}\n`;

  it.each<[string, RegExp[]]>([
    ["10.1.2.0/24,fd00:1::/64", []],
    ["10.1.2.0/24,«10.1.3.0/24", [/a second IPv4 network/]],
    ["«10.1.2.1/24", [/has host bits set: write 10\.1\.2\.0\/24/]],
    [
      `'[[{"subnet": "10.1.2.0/24", "rangeStart": «"10.1.3.1"}]]'`,
      [/10\.1\.3\.1 is outside of 10\.1\.2\.0\/24/],
    ],
    [`'[[{"subnet": "10.1.2.0/24", «"rangestart": "10.1.2.1"}]]'`, [/did you mean "rangeStart"/]],
    [`'[[{"subnet": "10.1.2.0/24"}], [«{"subnet": "10.1.2.128/25"}]]'`, [/overlaps with 10\.1\.2\.0\/24/]],
    ["«5", [/expected a string; put it in quotes/]],
    ['"«"', [/the annotation is empty/]],
  ])("with an annotation that a configuration names: %s", (value, words) => {
    expectFound(node(value), words, { others: [conf] });
  });

  it("with an annotation in node-annotation's form", () => {
    expectFound(node(`'ranges: [[{subnet: "10.1.2.0/24"}]]'`), [], { others: [body] });
    expectFound(node(`'ranges: [[{subnet: «"10.1.2.1/24"}]]'`), [/host bits/], { others: [body] });
    expectFound(node(`'ranges: [{subnet: «"10.1.2.1/24"}]'`), [/host bits/], { others: [body] });
    expectFound(node(`'ranges: [[{subnet «"10.1.2.0/24"}]]'`), [/":" after the key/], { others: [body] });
  });

  it("with annotations that nobody names: they are somebody else's, but for those of our own domains", () => {
    expectFound(node("rubbish"), []);
    expectFound(node("«rubbish"), [/is no CIDR/], { named: new Map([["example.com/n", "ranges"]]) });
    const own = "apiVersion: v1\nkind: Node\nmetadata:\n  name: a\n  annotations:\n";
    expectFound(`${own}    kube-node.nordix.org/net1: «rubbish\n`, [/is no CIDR/]);
    expectFound(`${own}    ippool.ipam.kube-node.io/p: «rubbish\n`, [/JSON is malformed/]);
  });

  it("that gives what another Node gives, by the same annotation or podCIDRs", () => {
    const others = [conf, { name: "a.yaml", text: node("10.1.2.0/24") }];
    expectFound(node("10.1.3.0/24", "b"), [], { others });
    expectFound(
      node("«10.1.0.0/16", "b"),
      [/annotation example\.com\/n: 10\.1\.0\.1-10\.1\.255\.254 overlaps with .* of Node a at a\.yaml:7:20/],
      { others },
    );
    const cidrs = (name: string, list: string) =>
      `kind: Node\napiVersion: v1\nmetadata: {name: ${name}}\nspec: {podCIDRs: [${list}]}\n`;
    expectFound(`${cidrs("a", "10.1.0.0/24")}---\n${cidrs("b", "fd00::/64, «10.1.0.0/25")}`, [
      /overlaps with/,
    ]);
    expectFound(cidrs("a", "«10.1.0.1/24"), [/spec\.podCIDRs: .*host bits/]);
  });

  it("in a List, as kubectl prints it", () => {
    const item = (name: string, value: string) =>
      `- apiVersion: v1\n  kind: Node\n  metadata:\n    name: ${name}\n    annotations:\n      kube-node.nordix.org/n: ${value}\n`;
    expectFound(
      `apiVersion: v1\nkind: List\nitems:\n${item("a", "10.1.0.0/24")}${item("b", "10.1.0.0/2«4x")}`.replace(
        "10.1.0.0/2«4x",
        "«10.1.0.0/24x",
      ),
      [/is no CIDR/],
    );
  });
});

describe("a pool", () => {
  const pool = (kind: string, spec: string, apiVersion = "nv-ipam.nvidia.com/v1alpha1") =>
    `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: p\nspec:\n${spec.replace(/^/gm, "  ")}\n`;

  it.each<[string, string, RegExp[]]>([
    ["IPPool", "subnet: 192.168.0.0/24\nperNodeBlockSize: 15\ngateway: 192.168.0.1", []],
    [
      "IPPool",
      "«subnt: 192.168.0.0/24\nperNodeBlockSize: 15",
      [/spec\.subnet/, /unknown key \(did you mean "subnet"/],
    ],
    ["IPPool", "subnet: «192.168.0/24\nperNodeBlockSize: 15", [/spec\.subnet: expected a network/]],
    [
      "IPPool",
      "subnet: 192.168.0.0/24\nperNodeBlockSize: «255",
      [/255 addresses, but 192\.168\.0\.0\/24 has 254/],
    ],
    [
      "IPPool",
      "subnet: 192.168.0.0/24\nperNodeBlockSize: 9\ngateway: «10.0.0.1",
      [/10\.0\.0\.1 is outside of/],
    ],
    [
      "IPPool",
      "subnet: 192.168.0.0/24\nperNodeBlockSize: «'15'",
      [/perNodeBlockSize: expected int|expected number/],
    ],
    [
      "IPPool",
      "subnet: 192.168.0.0/24\nperNodeBlockSize: 9\nexclusions:\n- startIP: 192.168.0.9\n  endIP: «192.168.0.5",
      [/the end comes before/],
    ],
    [
      "IPPool",
      "subnet: 192.168.0.0/24\nperNodeBlockSize: 9\nroutes: «[{dst: 10.0.0.0/8}]",
      [/routes need a gateway/],
    ],
    [
      "IPPool",
      "subnet: 192.168.0.0/24\nperNodeBlockSize: 9\nperNodeExclusions: [{startIndex: 1, endIndex: «9}]",
      [/a node has 9 addresses/],
    ],
    [
      "IPPool",
      "subnet: 192.168.0.0/24\nperNodeBlockSize: 9\nnodeSelector: {nodeSelectorTerms: «[]}",
      [/nodeSelectorTerms/],
    ],
    ["CIDRPool", "cidr: 10.10.0.0/16\nperNodeNetworkPrefix: 24\ngatewayIndex: 1", []],
    ["CIDRPool", "cidr: «10.10.1.0/16\nperNodeNetworkPrefix: 24", [/write 10\.10\.0\.0\/16/]],
    ["CIDRPool", "cidr: 10.10.0.0/16\nperNodeNetworkPrefix: «8", [/expected \/16 to \/32/]],
    [
      "CIDRPool",
      "cidr: 10.10.0.0/16\nperNodeNetworkPrefix: 24\ngatewayIndex: «255",
      [/no gateway at index 255/],
    ],
    [
      "CIDRPool",
      "cidr: 10.10.0.0/16\nperNodeNetworkPrefix: 24\nstaticAllocations:\n- prefix: 10.10.1.0/24\n- prefix: «10.10.1.0/24",
      [/given twice/],
    ],
    [
      "CIDRPool",
      "cidr: 10.10.0.0/16\nperNodeNetworkPrefix: 24\nstaticAllocations:\n- prefix: «10.11.1.0/24",
      [/outside of 10\.10\.0\.0\/16/],
    ],
  ])("%s: %s", (kind, spec, words) => {
    // A missing key is told of where its owner stands, which is where the unknown one stands here.
    const marked = spec.startsWith("«subnt") ? `«${spec}` : spec;
    expectFound(pool(kind, marked), words);
  });

  it("of nv-ipam's worked examples: gateway indexes", () => {
    const cases: [string, number, number, boolean][] = [
      ["10.0.0.0/16", 24, 0, false],
      ["10.0.0.0/16", 24, 254, true],
      ["10.0.0.0/16", 24, 255, false],
      ["10.0.0.0/16", 31, 0, true],
      ["10.0.0.0/16", 31, 1, true],
      ["10.0.0.0/16", 31, 2, false],
      ["fd00::/64", 120, 255, true],
      ["fd00::/64", 120, 256, false],
    ];
    for (const [cidr, prefix, index, isGood] of cases) {
      const text = pool("CIDRPool", `cidr: ${cidr}\nperNodeNetworkPrefix: ${prefix}\ngatewayIndex: ${index}`);
      expect({ cidr, prefix, index, isGood: checkFiles([{ name: "f", text }]).length === 0 }).toEqual({
        cidr,
        prefix,
        index,
        isGood,
      });
    }
  });

  it("whose addresses another pool has: a warning, since networks needn't meet", () => {
    const one = pool("IPPool", "subnet: 192.168.0.0/24\nperNodeBlockSize: 15").replace("name: p", "name: q");
    const two = pool(
      "CIDRPool",
      "cidr: «192.168.0.0/16\nperNodeNetworkPrefix: 24",
      "ipam.kube-node.io/v1alpha1",
    );
    expectFound(`${one}---\n${two}`, [/warning: pools: .* overlaps with .* of IPPool q at file:6:11/]);
  });

  it("of another group is somebody else's; of ours in a version that isn't there is wrong", () => {
    expectFound(pool("IPPool", "cidr: 7", "crd.projectcalico.org/v1"), []);
    expectFound(
      pool("IPPool", "subnet: 192.168.0.0/24\nperNodeBlockSize: 1", "«ipam.kube-node.io/v1").replace(
        "apiVersion: «",
        "apiVersion: «",
      ),
      [/expected ipam\.kube-node\.io\/v1alpha1/],
    );
  });
});

describe("whatever a file holds", () => {
  const odd = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom<unknown>(null, "10.0.0.0/8", ["x"], 7, {}),
  );
  const object = fc.record(
    {
      apiVersion: fc.oneof(
        fc.constantFrom("v1", "nv-ipam.nvidia.com/v1alpha1", "ipam.kube-node.io/v1alpha1"),
        odd,
      ),
      kind: fc.oneof(
        fc.constantFrom("Node", "IPPool", "CIDRPool", "NetworkAttachmentDefinition", "List"),
        odd,
      ),
      metadata: fc.oneof(
        fc.record({ name: odd, annotations: fc.oneof(odd, fc.record({ "kube-node.nordix.org/a": odd })) }),
        odd,
      ),
      spec: fc.oneof(
        odd,
        fc.record({ podCIDRs: odd, config: fc.oneof(odd, fc.json()) }, { requiredKeys: [] }),
        fc.record({
          subnet: odd,
          perNodeBlockSize: odd,
          cidr: odd,
          perNodeNetworkPrefix: odd,
          exclusions: odd,
          routes: odd,
        }),
      ),
      items: fc.array(odd),
      plugins: odd,
      ipam: fc.oneof(odd, fc.record({ type: fc.constantFrom("kube-node", "node-annotation"), routes: odd })),
      name: odd,
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  const file = fc.oneof(
    fc.string(),
    object.map((one) => JSON.stringify(one)),
    object.map((one) => stringify(one)),
    fc.array(fc.stringMatching(/^[-&*!|>%@:{}[\],?# a-z\n"']{0,40}$/)).map((lines) => lines.join("\n")),
  );

  it("its faults have places in it, and nothing breaks", () => {
    fc.assert(
      fc.property(file, (text) => {
        const lines = text.split("\n");
        for (const { line, column, words } of checkFiles([{ name: "f", text }])) {
          expect(words).not.toBe("");
          expect(line).toBeLessThanOrEqual(lines.length);
          expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it("aliases without end are told of, and of nothing", () => {
    const bomb = ["a: &a [x, x, x, x, x, x, x, x, x]", ..."bcdefgh"].map((name, i) =>
      i === 0
        ? name
        : `${name}: &${name} [${Array(9)
            .fill(`*${"abcdefgh"[i - 1]}`)
            .join(", ")}]`,
    );
    expectFound(`«${bomb.join("\n")}\n`, [/YAML is malformed/]);
    expectFound("kind: Node\napiVersion: v1\nmetadata: «*nothing\n", [/YAML is malformed/]);
  });

  it("a merge of what is no mapping has its place", () => {
    expectFound('items:\n  - «<<: ""\n', [/YAML is malformed: merge sources must be maps/]);
  });
});

describe("a file", () => {
  it("of several documents: other kinds are passed over, empty ones too", () => {
    expectFound(
      "kind: ConfigMap\napiVersion: v1\ndata: {x: y}\n---\n# nothing\n---\nkind: Pod\napiVersion: v1\n",
      [],
    );
  });

  it("that is nothing to check, or no YAML", () => {
    expectFound("«hello: world\n", [/nothing that can be checked/]);
    expectFound("«[1, 2]\n", [/expected an object, found an array/]);
    expectFound("«", [/the file is empty/]);
    expectFound("kind: Node\napiVersion: v1\nmetadata:\n\t«name: a\n".replace("\t«", "«\t"), [
      /YAML is malformed/,
    ]);
    expectFound("kind: Node\napiVersion: «[]\n", [/apiVersion: expected a string, found an array/]);
  });
});
