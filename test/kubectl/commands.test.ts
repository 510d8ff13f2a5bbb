import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createNamespace, createNetwork, createPod, defineNetworks } from "../parts/cluster-objects.ts";
import { executables } from "../parts/plugin.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { openSite, type Site } from "./kubectl.ts";

const missing = reasonForNoRealApiServer();
const lack = whatLacks(missing === undefined ? {} : { missing });
const key = "example.com/net1";
const body = "example.com/body";

describe.skipIf(lack.some)(`kubectl kube-node on a real API server${lack.words}`, () => {
  let site: Site;

  beforeAll(async () => {
    site = await openSite();
    const { admin, api } = site;
    const nodes: [string, string, Record<string, string>][] = [
      ["a", "10.1.0.0/24", { [key]: "172.20.0.0/28,fd00:1::/64", "team/contact": "ops" }],
      ["b", "10.1.1.0/24", { [key]: "172.20.0.16-172.20.0.20/28" }],
      ["c", "10.1.2.0/24", { [key]: "172.20.0.32/33", [body]: 'ranges: [[{subnet: "192.168.7.0/24"}]]' }],
    ];
    for (const [name, podCIDR, annotations] of nodes)
      await api.createNode({
        name,
        podCIDRs: [podCIDR],
        annotations,
        labels: { zone: name === "c" ? "2" : "1" },
      });
    await defineNetworks(admin);
    await createNamespace(admin, "default");
    await createNamespace(admin, "other");
    const ipam = { type: "kube-node", annotation: key };
    await createNetwork(admin, "default/net1", { cniVersion: "1.0.0", name: "net1", type: "bridge", ipam });
    const list = {
      cniVersion: "1.0.0",
      name: "l",
      plugins: [{ type: "macvlan", ipam: { type: "node-annotation", annotation: body } }],
    };
    await createNetwork(admin, "other/body", list);
    await createNetwork(admin, "other/whereabouts", {
      name: "w",
      type: "macvlan",
      ipam: { type: "whereabouts" },
    });
    const pods = [
      {
        name: "one",
        node: "a",
        ips: ["10.1.0.2"],
        attachments: { "default/net1": ["172.20.0.2", "fd00:1::2"] },
      },
      { name: "two", node: "b", ips: ["10.1.1.2"], attachments: { "default/net1": ["172.20.0.18"] } },
      {
        name: "three",
        namespace: "other",
        node: "c",
        ips: ["10.1.2.2"],
        attachments: { "other/whereabouts": ["1.2.3.4"] },
      },
      { name: "host", node: "a", ips: ["192.0.2.1"], hostNetwork: true },
      { name: "done", node: "a", ips: ["10.1.0.2"], phase: "Succeeded" },
      { name: "waiting", node: "b", phase: "Pending" },
    ];
    for (const pod of pods) await createPod(admin, pod);
  }, 90_000);
  afterAll(() => site?.close());

  describe("list", () => {
    it.each(executables())(
      "shows every key of every node, malformed ones with their reason ($label)",
      async ({ command }) => {
        const { stdout, stderr, exitCode } = await site.run("list -o wide", {
          program: command("kubectl-kube_node"),
        });
        expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
        expect(stdout).toMatchSnapshot();
      },
    );

    it("takes labels and keys, and names what lacks a key", async () => {
      const { stdout } = await site.run(`list -l zone=1 --key ${body}`);
      expect(stdout).toMatchSnapshot();
    });

    it.each(["json", "yaml"])("as %s has a shape that stays", async (format) => {
      const { stdout } = await site.run(`list -o ${format} --key ${key}`);
      expect(parse(stdout)).toEqual({
        apiVersion: "kube-node.io/v1",
        kind: "NodeRangesList",
        items: [
          {
            node: "a",
            key,
            reason: "given by --key",
            networks: ["default/net1"],
            sets: [
              { ranges: [{ subnet: "172.20.0.0/28" }], size: 13, used: 1 },
              { ranges: [{ subnet: "fd00:1::/64" }], size: 2 ** 64, used: 1 },
            ],
          },
          {
            node: "b",
            key,
            reason: "given by --key",
            networks: ["default/net1"],
            sets: [
              {
                ranges: [{ subnet: "172.20.0.16/28", rangeStart: "172.20.0.16", rangeEnd: "172.20.0.20" }],
                size: 4,
                used: 1,
              },
            ],
          },
          {
            node: "c",
            key,
            reason: "given by --key",
            networks: ["default/net1"],
            sets: [],
            malformed: expect.stringMatching(/^at character 1: /),
          },
        ],
      });
    });

    it.each([
      ["-o wide", "\\u001b[2J"],
      ["-o json", "\\u001b[2J"],
      ["-o yaml", "\\e[2J"],
    ])(
      "%s shows control characters in an annotation, and sends none to the terminal",
      async (format, shown) => {
        const evil = "example.com/evil";
        await site.api.setAnnotation("c", evil, '[[{"\u001b[2J": 1}]]'.replace("\u001b", "\\u001b"));
        const { stdout, stderr } = await site.run(`list ${format} --key ${evil}`);
        await site.api.setAnnotation("c", evil, null);
        expect(stdout).toContain(shown);
        expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
      },
    );
    it("takes several keys, and nodes by name or by label, not both", async () => {
      const { stdout } = await site.run(`list b --key ${key},${body}`);
      expect(stdout.split("\n").map((line) => line.split(/ +/).slice(0, 2).join(" "))).toEqual([
        "NODE KEY",
        `b ${key}`,
        `b ${body}`,
      ]);
      expect(await site.run("list b -l zone=1")).toMatchObject({
        exitCode: 2,
        stderr: "kubectl kube-node: nodes by name (b) and -l: give one of both",
      });
    });

    it("-o name is for other commands", async () => {
      expect((await site.run("list -o name")).stdout).toBe("node/a\nnode/b\nnode/c");
    });
  });

  describe("explain", () => {
    it.each([
      ["an address of a network", "172.20.0.18", 0],
      ["an address of a pod's own", "10.1.0.2", 0],
      ["a free address", "10.1.1.9", 0],
      ["an address of Services", "10.96.0.1", 0],
      ["an address that nobody knows", "8.8.8.8", 1],
      ["a pod with several addresses", "default/one", 0],
      ["a pod on its node's network", "default/host", 0],
      ["a pod without an address", "waiting", 1],
    ])("%s", async (_, what, code) => {
      const { stdout, exitCode } = await site.run(`explain ${what}`);
      expect(stdout.replace(/\(\d+[smhd]\)/g, "(AGE)")).toMatchSnapshot();
      expect(exitCode).toBe(code);
    });

    it("takes the namespace of -n, and JSON has a shape that stays", async () => {
      const { stdout } = await site.run("explain three -n other -o json");
      expect(JSON.parse(stdout)).toEqual({
        apiVersion: "kube-node.io/v1",
        kind: "AddressList",
        items: [
          {
            address: "10.1.2.2",
            ranges: [{ node: "c", key: "spec.podCIDRs", networks: [], ranges: [{ subnet: "10.1.2.0/24" }] }],
            pods: [
              {
                namespace: "other",
                pod: "three",
                node: "c",
                network: "pod network",
                since: "2026-01-02T03:04:05Z",
              },
            ],
          },
          {
            address: "1.2.3.4",
            ranges: [],
            pods: [
              {
                namespace: "other",
                pod: "three",
                node: "c",
                network: "other/whereabouts",
                since: "2026-01-02T03:04:05Z",
              },
            ],
          },
        ],
      });
    });

    it.each([
      ["::ffff:10.1.0.2", "is an IPv4 address written as IPv6: write it as IPv4, 10.1.0.2"],
      ["10.1.0.0/24", "is a network: name one address"],
      ["fd00:1::/64", "is a network: name one address"],
    ])("%s is no subject: it says what to name", async (what, words) => {
      expect(await site.run(`explain ${what}`)).toMatchObject({
        exitCode: 2,
        stdout: "",
        stderr: `kubectl kube-node: ${what} ${words}`,
      });
    });

    it("says so where there is no such pod", async () => {
      const { stderr, exitCode } = await site.run("explain default/nobody");
      expect(stderr).toBe(
        "kubectl kube-node: there is no pod nobody in namespace default: name it as NAMESPACE/POD, or give -n",
      );
      expect(exitCode).toBe(1);
    });
  });

  describe("verify", () => {
    it("names what is wrong, and ends with 1", async () => {
      const { stdout, stderr, exitCode } = await site.run("verify");
      expect(stdout).toMatchSnapshot();
      expect(stderr).toBe(
        [
          `annotation ${key}: named by NetworkAttachmentDefinition default/net1`,
          `annotation ${body}: named by NetworkAttachmentDefinition other/body`,
          "3 nodes, 7 ranges, 7 addresses: 1 finding",
        ].join("\n"),
      );
      expect(exitCode).toBe(1);
    });

    it("finds nothing where nothing is", async () => {
      const { stdout, exitCode } = await site.run("verify --key spec.podCIDRs");
      expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 0 });
    });

    it("warns where no node has a key, and says so where there was nothing to check", async () => {
      const typo = "warning: no node has example.com/typo: there is nothing of it to check";
      const { stderr, ...alone } = await site.run("verify --key example.com/typo");
      expect(alone).toEqual({ exitCode: 0, stdout: "" });
      expect(stderr.split("\n")).toEqual([
        typo,
        "annotation example.com/typo: given by --key",
        expect.stringMatching(/^3 nodes, 0 ranges, \d addresses: there was nothing to check$/),
      ]);
      const both = await site.run("verify --key example.com/typo,spec.podCIDRs -o json");
      expect(both.exitCode).toBe(0);
      expect(JSON.parse(both.stdout)).toMatchObject({ kind: "FindingList", items: [] });
      expect(both.stderr).toContain(typo);
      expect(both.stderr).toContain("nothing is wrong");
    });

    it("finds a range that is nearly full from the percentage on that is given", async () => {
      const { stdout, exitCode } = await site.run(`verify --key ${key} --nearly=25 -o json`);
      expect(exitCode).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({
        apiVersion: "kube-node.io/v1",
        kind: "FindingList",
        items: expect.arrayContaining([
          {
            check: "nearly-full",
            subjects: ["node/b"],
            key,
            message: `172.20.0.16-172.20.0.20/28 (${key} of b): 1 of 4 addresses are used`,
          },
        ]),
      });
    });
  });

  it("an annotation that is named like podCIDRs is none of them", async () => {
    await site.api.setAnnotation("a", "spec.podCIDRs", "10.9.0.0/24");
    const list = async (words: string[]) => {
      const { stdout } = await site.run(["list", "a", "-o", "json", ...words]);
      return (JSON.parse(stdout) as { items: { key: string; sets: { ranges: unknown }[] }[] }).items.map(
        ({ key: one, sets }) => ({ key: one, ranges: sets.map(({ ranges }) => ranges) }),
      );
    };
    const ofNode = { key: "spec.podCIDRs", ranges: [[{ subnet: "10.1.0.0/24" }]] };
    const annotated = { key: "spec.podCIDRs (annotation)", ranges: [[{ subnet: "10.9.0.0/24" }]] };
    const all = await list([]);
    expect(all.filter((one) => one.key.startsWith("spec.podCIDRs"))).toEqual([ofNode, annotated]);
    expect(await list(["--key", "spec.podCIDRs"])).toEqual([ofNode]);
    expect(await list(["--key", "spec.podCIDRs (annotation)"])).toEqual([annotated]);
    await site.api.setAnnotation("a", "spec.podCIDRs", null);
  });

  describe("an address of two pods", () => {
    beforeAll(() => createPod(site.admin, { name: "twin", node: "b", ips: ["10.1.1.2"] }));

    it("is told by explain, which ends with 1", async () => {
      const { stdout, exitCode } = await site.run("explain 10.1.1.2");
      expect(stdout).toMatch(/^10\.1\.1\.2 is held by more than one pod\n/);
      expect(stdout.match(/ {2}pod {5}default\/(?:two|twin) on b, since/g)).toHaveLength(2);
      expect(exitCode).toBe(1);
    });

    it("is found by verify", async () => {
      const { stdout } = await site.run("verify --key spec.podCIDRs");
      expect(stdout).toMatch(
        /^duplicate +10\.1\.1\.2 \(pod network\) is held by default\/\w+ on b and default\/\w+ on b$/m,
      );
    });
  });
});
