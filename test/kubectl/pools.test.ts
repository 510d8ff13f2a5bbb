import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { poolAnnotationKey } from "../../src/api/pool-names.ts";
import type { Client } from "../../src/kube/client.ts";
import { createNamespace, createNetwork, createPod, defineNetworks } from "../parts/cluster-objects.ts";
import { createPool, giveBlocks } from "../parts/given-blocks.ts";
import { executables } from "../parts/plugin.ts";
import { installPoolResources, poolPath } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { openSite, type Site } from "./kubectl.ts";

const missing = reasonForNoRealApiServer();
const lack = whatLacks(missing === undefined ? {} : { missing });
const key = poolAnnotationKey({ kind: "IPPool", name: "a" });

describe.skipIf(lack.some)(`pools in kubectl kube-node, on a real API server${lack.words}`, () => {
  let site: Site;

  beforeAll(async () => {
    site = await openSite();
    const { admin, api } = site;
    for (const name of ["n1", "n2", "n3"]) await api.createNode({ name });
    await installPoolResources(admin);
    const a = await createPool(admin, "IPPool", "a", {
      subnet: "192.168.0.0/24",
      perNodeBlockSize: 16,
      gateway: "192.168.0.1",
      exclusions: [
        { startIP: "192.168.0.5", endIP: "192.168.0.5" },
        { startIP: "192.168.0.65", endIP: "192.168.0.128" },
      ],
      perNodeReserved: { last: 1 },
    });
    const sameName = await createPool(admin, "CIDRPool", "a", {
      cidr: "fd00:7::/48",
      perNodeNetworkPrefix: 64,
    });
    await giveBlocks(admin, a, "n1", [{ index: 0n }]);
    await giveBlocks(admin, a, "n2", [{ index: 1n, closing: true }, { index: 2n }]);
    await giveBlocks(admin, sameName, "n1", [{ index: 0n }]);
    await defineNetworks(admin);
    await createNamespace(admin, "default");
    const ipam = { type: "kube-node", pool: "a" };
    await createNetwork(admin, "default/net-a", { cniVersion: "1.0.0", name: "net-a", type: "bridge", ipam });
    const pods: [string, string, string][] = [
      ["one", "n1", "192.168.0.2"],
      ["two", "n2", "192.168.0.18"],
    ];
    for (const [name, node, ip] of pods)
      await createPod(admin, { name, node, attachments: { "default/net-a": [ip] } });
  }, 90_000);
  afterAll(() => site?.close());

  it("list shows pools by name, their blocks, used addresses, and what is closing", async () => {
    expect((await site.run("list")).stdout).toMatchSnapshot();
    const { stdout } = await site.run("list n2 --key ippool/a -o json");
    expect(JSON.parse(stdout)).toMatchObject({
      items: [
        {
          node: "n2",
          key,
          pool: "ippool/a",
          sets: [
            { block: "ippool.a.1", closing: true, size: 15, used: 1 },
            { block: "ippool.a.2", size: 15, used: 0 },
          ],
        },
      ],
    });
  });

  it("map shows the pool's whole grid: given, closing, free and excluded", async () => {
    const { stdout, stderr, exitCode } = await site.run("map ippool/a --width 100", {
      env: { LANG: "C.UTF-8" },
    });
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    expect(stdout).toMatchSnapshot();
    const bare = await site.run("map a --width 100", { env: { LANG: "C.UTF-8" } });
    expect(bare).toEqual({
      stdout,
      stderr: "note: this is ippool/a; there is also cidrpool/a",
      exitCode: 0,
    });
  });

  it("map draws the same as an SVG and as a page", async () => {
    const [svg, html] = [join(site.folder, "pool.svg"), join(site.folder, "pool.html")];
    const { exitCode, stderr } = await site.run(["map", "ippool/a", "--svg", svg, "--html", html]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: `wrote ${svg}\nwrote ${html}` });
    const picture = readFileSync(svg, "utf8");
    for (const words of [
      "blocks: 2 given, 1 closing, ",
      "<title>n1 192.168.0.1-192.168.0.16: 1 of 13 addresses used (8 %)</title>",
      "<title>n2 192.168.0.17-192.168.0.32 (closing): 1 of 15 addresses used (7 %)</title>",
      "<title>excluded: 192.168.0.65 – 192.168.0.127</title>",
    ])
      expect(picture).toContain(words);
    const page = readFileSync(html, "utf8");
    expect(page).toContain(
      '["192.168.0.0/24",["192.168.0.5","192.168.0.5"],["192.168.0.65","192.168.0.128"]]',
    );
    expect(page).toMatch(/blocks: 2 given, 1 closing, .*3 nodes/);
  });

  it.each([
    ["192.168.0.2", "ippool/a: block ippool.a.0, 192.168.0.1-192.168.0.16, is n1's", 0],
    [
      "192.168.0.5",
      "ippool/a: block ippool.a.0, 192.168.0.1-192.168.0.16, is n1's; 192.168.0.5 is excluded from ippool/a",
      0,
    ],
    ["192.168.0.1", "is n1's; 192.168.0.1 is the gateway", 0],
    ["192.168.0.16", "is n1's; 192.168.0.16 is at a place that ippool/a keeps back in each block", 0],
    ["192.168.0.18", "ippool/a: block ippool.a.1, 192.168.0.17-192.168.0.32, is n2's, and closing", 0],
    ["192.168.0.50", "ippool/a: in no block that a node has", 0],
    ["192.168.0.100", "in no block that a node has; 192.168.0.100 is excluded from ippool/a", 0],
    ["192.168.0.255", "192.168.0.255 lies before or behind ippool/a's blocks, and is never given", 0],
    ["fd00:7::9", "cidrpool/a: block cidrpool.a.0, fd00:7::-fd00:7::ffff:ffff:ffff:ffff, is n1's", 0],
  ])("explain %s: %s", async (address, words, code) => {
    const { stdout, exitCode } = await site.run(`explain ${address}`);
    expect(stdout).toContain(words);
    expect(exitCode).toBe(code);
  });

  it("completion knows pools", async () => {
    expect((await site.run(["__complete", "map", ""])).stdout).toBe("cidrpool/a\nippool/a\n:4");
    expect((await site.run(["__complete", "list", "--key", "ipp"])).stdout).toBe("ippool/a\n:4");
    expect((await site.run(["__complete", "annotate", "n1", "ipp"])).stdout).toBe(":6");
  });

  it.each([
    [`annotate n3 ${key}=192.168.0.64/28`, `${key} is written by kube-node-controller`],
    [`annotate --all ${key}-`, `${key} is written by kube-node-controller`],
    ["annotate n3 ippool/a=192.168.0.64/28", "ippool/a is a pool, and no annotation"],
    ["annotate n3 spec.podCIDRs=10.1.1.0/24", "spec.podCIDRs is a field of Nodes"],
    [`split ${key} --cidr=172.31.0.0/16 --per-node=/24`, `${key} is written by kube-node-controller`],
    ["split spec.podCIDRs --cidr=172.31.0.0/16 --per-node=/24", "spec.podCIDRs is a field of Nodes"],
  ])("%s is refused, and nothing is written", async (words, message) => {
    const texts = async () => {
      const nodes = await Promise.all(["n1", "n2", "n3"].map((name) => site.api.getNode(name)));
      return nodes.map((node) => node?.metadata.annotations);
    };
    const before = await texts();
    const { exitCode, stdout, stderr } = await site.run(words);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(await texts()).toEqual(before);
  });

  it("completion offers no key of theirs to what writes annotations", async () => {
    for (const words of [["split"], ["annotate", "n1", "--remove"]])
      expect((await site.run(["__complete", ...words, ""])).stdout).toBe(":4");
  });

  it("bundle takes pools and who has which block", async () => {
    const archive = join(site.folder, "pools.tar.gz");
    expect(await site.run(["bundle", "-o", archive])).toMatchObject({ exitCode: 0 });
    const read = async (name: string) => {
      const words = ["-xzOf", archive, "--wildcards", `*/${name}`];
      return JSON.parse((await execa("tar", words)).stdout) as { metadata: { name: string } }[];
    };
    expect((await read("ippools.json")).map(({ metadata }) => metadata.name)).toEqual(["a"]);
    const blocks = (await read("nodeblocks.json")).map(({ metadata }) => metadata.name);
    expect(blocks).toEqual(["cidrpool.a.0", "ippool.a.0", "ippool.a.1", "ippool.a.2"]);
  });

  it("watch tells of blocks by their pool", async () => {
    const program = [
      "timeout",
      "--signal=INT",
      "6",
      ...(executables()[0]?.command("kubectl-kube_node") ?? []),
    ];
    const { stdout } = await site.run("watch --key ippool/a", { program });
    const lines = stdout.split("\n").map((line) => line.slice(line.indexOf(" ") + 1));
    expect(lines).toContain("n2 ippool/a 192.168.0.17-192.168.0.31/24 used=1 size=15 closing");
    expect(lines).toContain("n2 ippool/a 192.168.0.33-192.168.0.47/24 used=0 size=15");
    expect(lines).toContain("n3 ippool/a <none>");
  });

  it("verify finds nothing where blocks and annotations agree", async () => {
    const { stdout, exitCode } = await site.run("verify");
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 0 });
  });

  it.each([
    "verify --key ippool/nope",
    "verify --key ippool/a,ippool/nope -o json",
    "map ippool/nope",
    "map ippool/nope -l a=b",
  ])("%s: there is no such pool", async (words) => {
    expect(await site.run(words)).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: "kubectl kube-node: there is no pool ippool/nope: kubectl get ippools,cidrpools lists them",
    });
  });

  it("map of a bare name that neither a pool nor an annotation has is a mistake", async () => {
    expect(await site.run("map nope")).toEqual({
      exitCode: 1,
      stdout: "",
      stderr:
        "kubectl kube-node: no node has an annotation nope, and there is no pool nope: kubectl get ippools,cidrpools lists them",
    });
    expect((await site.run("map nope --cidr 10.0.0.0/24")).exitCode).toBe(0);
    expect((await site.run("map spec.podCIDRs")).exitCode).toBe(0);
  });

  it("verify --key warns where a pool has no blocks yet, or where its bare name stands for an annotation", async () => {
    const spec = { subnet: "192.168.9.0/24", perNodeBlockSize: 16 };
    await createPool(site.admin, "IPPool", "fresh", spec);
    const nothing = "3 nodes, 0 ranges, 0 addresses: there was nothing to check";
    const { stderr, ...fresh } = await site.run("verify --key ippool/fresh");
    expect(fresh).toEqual({ exitCode: 0, stdout: "" });
    expect(stderr.split("\n")).toEqual([
      "warning: no node has ippool/fresh: there is nothing of it to check",
      "annotation ippool/fresh: given by --key",
      nothing,
    ]);
    expect((await site.run("verify --key fresh")).stderr).toContain(
      'warning: no node has fresh (did you mean "ippool/fresh"?): there is nothing of it to check',
    );
    expect((await site.run("map fresh")).exitCode).toBe(0);
    await site.admin.remove(poolPath("IPPool", "fresh"));
  });

  describe("an annotation with addresses of a pool", () => {
    const other = "example.com/other";
    const words =
      "192.168.0.192/26 (example.com/other of n3) overlaps with 192.168.0.193-192.168.0.254 of IPPool a";
    afterEach(async () => {
      for (const name of ["n1", "n2", "n3"]) await site.api.setAnnotation(name, other, null);
    });

    it("annotate refuses it, unless it is forced", async () => {
      const refused = await site.run(`annotate n3 ${other}=192.168.0.192/26`);
      expect(refused).toEqual({
        exitCode: 1,
        stdout: "",
        stderr: `refused: ${words}: choose another, or --force it\nnothing was written`,
      });
      expect(await site.run(`annotate n3 ${other}=192.168.0.192/26 --force`)).toEqual({
        exitCode: 0,
        stdout: "node/n3 annotated",
        stderr: `warning: ${words}`,
      });
      // It may always be taken away.
      expect(await site.run(`annotate n3 ${other}-`)).toMatchObject({ exitCode: 0, stderr: "" });
    });

    it("annotate takes what the pool excludes, and what a pool has that allows overlaps", async () => {
      await createPool(site.admin, "IPPool", "insists", {
        subnet: "10.50.0.0/16",
        perNodeBlockSize: 16,
        allowOverlap: true,
      });
      for (const subnet of ["192.168.0.72/29", "10.50.0.0/24"]) {
        const words = `annotate n3 ${other}=${subnet} --overwrite`;
        expect(await site.run(words)).toEqual({ exitCode: 0, stdout: "node/n3 annotated", stderr: "" });
        expect(await site.run("verify")).toMatchObject({ exitCode: 0, stdout: "" });
      }
      await site.admin.remove(poolPath("IPPool", "insists"));
    });

    it("split passes the pool's addresses over, as it does podCIDRs", async () => {
      const dry = await site.run(`split ${other} --cidr=192.168.0.0/22 --per-node=/24 --dry-run=client`);
      expect(dry).toMatchObject({ exitCode: 0, stdout: expect.not.stringContaining("192.168.0.0/24") });
      expect(dry.stderr).toContain("4 blocks, 1 taken or excluded, 3 given now, 0 free");
      expect(dry.stderr).toContain("passed over: 1 (IPPool a)");
      const short = await site.run(`split ${other} --cidr=192.168.0.0/23 --per-node=/24`);
      expect(short).toMatchObject({ exitCode: 1, stdout: "" });
      expect(short.stderr).toContain(
        "1 are taken or excluded (1: IPPool a), 1 are free, and 3 Nodes want one",
      );
    });

    it.each(["verify -o json", `verify --key ${other} -o json`])("%s finds it", async (command) => {
      await site.api.setAnnotation("n3", other, "192.168.0.192/26");
      const { stdout, exitCode } = await site.run(command);
      expect(exitCode).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({
        items: [
          {
            check: "overlap",
            subjects: ["ippool/a"],
            key,
            message: expect.stringMatching(
              /^192\.168\.0\.193-192\.168\.0\.254 of IPPool a are also of annotation example\.com\/other of n3: /,
            ),
          },
        ],
      });
    });

    it("who may not read pools is told so, and everything else works", async () => {
      await mayEditNodesAlone(site.admin, "jane");
      const annotate = `annotate n3 ${other}=192.168.0.192/26 --overwrite --as=jane`;
      await expect.poll(async () => (await site.run(annotate)).exitCode, { timeout: 10_000 }).toBe(0);
      const split = `split ${other} --cidr=192.168.4.0/22 --per-node=/24 --dry-run=client --as=jane`;
      for (const words of [annotate, split]) {
        const { exitCode, stderr } = await site.run(words);
        expect(exitCode, words).toBe(0);
        expect(stderr).toMatch(/warning: pools were not read: .*"jane" cannot list resource "ippools"/);
      }
    });
  });

  it("verify says which pools are not ready, and why", async () => {
    const condition = (status: string, reason: string) => ({
      status: {
        conditions: [
          {
            ...{ type: "Ready", status, reason, message: "2 Nodes got no block" },
            lastTransitionTime: "2026-01-02T03:04:05Z",
          },
        ],
      },
    });
    const path = `${poolPath("IPPool", "a")}/status`;
    await site.admin.patch(path, condition("False", "NoFreeRanges"), "merge");
    const { stdout, exitCode } = await site.run("verify --key ippool/a");
    expect(exitCode).toBe(1);
    expect(stdout).toContain(
      "IPPool a is not ready, as kube-node-controller says (NoFreeRanges): 2 Nodes got no block",
    );
    expect(await site.run("verify --key cidrpool/a")).toMatchObject({ exitCode: 0 });
    await site.admin.patch(path, condition("True", "Valid"), "merge");
    expect(await site.run("verify")).toMatchObject({ exitCode: 0 });
  });

  describe("where they don't", () => {
    beforeAll(async () => {
      const { admin, api } = site;
      const n1 = await api.getNode("n1");
      const own = n1?.metadata.annotations?.[key] ?? "";
      // n3: n1's annotation, copied with n1's UID; then again with its own, so that both have one block.
      await api.setAnnotation("n3", key, own);
      await api.createNode({ name: "n4" });
      const n4 = await api.getNode("n4");
      await api.setAnnotation("n4", key, own.replace(n1?.metadata.uid ?? "", n4?.metadata.uid ?? ""));
      // n2's third block is in no annotation, n1's CIDRPool block in no NodeBlock; n5 is gone.
      await api.createNode({ name: "n5" });
      const { block, gone } = await drafts();
      await admin.create(poolPath("NodeBlock"), block);
      await admin.create(poolPath("NodeBlock"), gone);
      await api.deleteNode("n5");
      await admin.remove(poolPath("NodeBlock", "cidrpool.a.0"));
    });

    async function drafts() {
      const { metadata } = await site.admin.get<{ metadata: { uid: string } }>(poolPath("IPPool", "a"));
      const [n2, n5] = [await site.api.getNode("n2"), await site.api.getNode("n5")];
      const base = { apiVersion: "ipam.kube-node.io/v1alpha1", kind: "NodeBlock" };
      const spec = (index: string, first: string, last: string, node: typeof n2) => ({
        pool: { kind: "IPPool", name: "a", uid: metadata.uid },
        index,
        first,
        last,
        nodeName: node?.metadata.name,
        nodeUID: node?.metadata.uid,
      });
      return {
        block: {
          ...base,
          metadata: { name: "ippool.a.3" },
          spec: spec("3", "192.168.0.49", "192.168.0.64", n2),
        },
        gone: {
          ...base,
          metadata: { name: "ippool.a.9" },
          spec: spec("9", "192.168.0.145", "192.168.0.160", n5),
        },
      };
    }

    it("verify names all of it", async () => {
      const { stdout, exitCode } = await site.run("verify -o json");
      expect(exitCode).toBe(1);
      const { items } = JSON.parse(stdout) as {
        items: { check: string; subjects: string[]; message: string }[];
      };
      const found = items.map(({ check, subjects }) => `${check} ${subjects.join(" ")}`);
      expect(found.sort()).toEqual([
        "claimed-by-another node/n4 nodeblock/ippool.a.0",
        "foreign node/n3",
        "node-gone nodeblock/ippool.a.9 node/n5",
        "not-annotated nodeblock/ippool.a.3 node/n2",
        "not-claimed node/n1 nodeblock/cidrpool.a.0",
        "overlap node/n4 node/n1",
        "shared-block node/n1 node/n4",
      ]);
      expect(
        (await site.run("verify")).stdout.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4,12}){4}/g, "UID"),
      ).toMatchSnapshot();
    });

    it("verify --key looks at one pool alone", async () => {
      const { stdout } = await site.run("verify --key cidrpool/a -o json");
      expect(JSON.parse(stdout)).toMatchObject({ items: [{ check: "not-claimed" }] });
    });
  });

  it("fails nowhere where there are no such resources", async () => {
    const plain = await openSite();
    await plain.api.createNode({ name: "n1", podCIDRs: ["10.1.0.0/24"] });
    for (const words of ["list", "verify", "map", "explain 10.1.0.1"])
      expect(await plain.run(words), words).toMatchObject({ exitCode: 0 });
    expect(await plain.run("rebuild")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(
        "NodeBlocks can't be read: are the CustomResourceDefinitions installed",
      ),
    });
    await plain.close();
  });
});

/** Somebody may write annotations, and knows nothing of pools. */
async function mayEditNodesAlone(admin: Client, name: string): Promise<void> {
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  await admin.create(`${rbac}/clusterroles`, {
    metadata: { name },
    rules: [
      { apiGroups: [""], resources: ["nodes"], verbs: ["get", "list", "patch"] },
      { apiGroups: [""], resources: ["pods", "configmaps"], verbs: ["get", "list"] },
    ],
  });
  await admin.create(`${rbac}/clusterrolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
    subjects: [{ kind: "User", name }],
  });
}
