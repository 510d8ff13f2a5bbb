import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { writeAnnotation } from "../../src/kubectl/write-annotation.ts";
import type { AnnotationChange } from "../../src/survey/annotation-plan.ts";
import type { KubeNode } from "../parts/api-server.ts";
import { createNamespace, createNetwork, createPod, defineNetworks } from "../parts/cluster-objects.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { openSite, type Site } from "./kubectl.ts";

const missing = reasonForNoRealApiServer();
const lack = whatLacks(missing === undefined ? {} : { missing });
const key = "example.com/net1";

describe.skipIf(lack.some)(`kubectl kube-node annotate on a real API server${lack.words}`, () => {
  let site: Site;
  const names = ["a", "b", "c"];

  beforeAll(async () => {
    site = await openSite();
    for (const [index, name] of names.entries())
      await site.api.createNode({
        name,
        podCIDRs: [`10.1.${index}.0/24`],
        labels: { zone: name === "c" ? "2" : "1" },
      });
    await defineNetworks(site.admin);
    await createNamespace(site.admin, "default");
    await createNetwork(site.admin, "default/net1", {
      name: "net1",
      type: "bridge",
      ipam: { type: "kube-node", annotation: key },
    });
    const body = { type: "node-annotation", annotation: "example.com/body" };
    await createNetwork(site.admin, "default/body", { name: "body", type: "macvlan", ipam: body });
  }, 90_000);
  afterAll(() => site?.close());
  afterEach(async () => {
    for (const name of names)
      for (const one of [key, "example.com/body"]) await site.api.setAnnotation(name, one, null);
  });

  const value = async (node: string, one = key) =>
    (await site.api.getNode(node))?.metadata.annotations?.[one];

  it("writes ranges that conflict with nothing, and says so once more where they are there", async () => {
    expect(await site.run(`annotate a ${key}=172.20.0.0/24,fd00:1::/64`)).toEqual({
      exitCode: 0,
      stdout: "node/a annotated",
      stderr: "",
    });
    expect(await value("a")).toBe("172.20.0.0/24,fd00:1::/64");
    expect((await site.run(`annotate a ${key}=172.20.0.0/24,fd00:1::/64`)).stdout).toBe("node/a unchanged");
  });

  it.each([
    [
      "another node's ranges",
      "b",
      `${key}=172.20.0.128/25`,
      "172.20.0.128/25 (example.com/net1 of b) overlaps with 172.20.0.0/24 (example.com/net1 of a)",
    ],
    [
      "another node's podCIDRs",
      "b",
      `${key}=10.1.0.0/16`,
      "10.1.0.0/16 (example.com/net1 of b) overlaps with 10.1.2.0/24 (spec.podCIDRs of c)",
    ],
    [
      "what Services have",
      "b",
      `${key}=10.96.4.0/24`,
      "10.96.4.0/24 (example.com/net1 of b) overlaps with 10.96.0.0/16, which Services get their addresses of",
    ],
  ])("refuses what conflicts with %s, unless it is forced", async (_, node, words, conflict) => {
    await site.api.setAnnotation("a", key, "172.20.0.0/24");
    const refused = await site.run(`annotate ${node} ${words}`);
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    expect(refused.stderr).toContain(`refused: ${conflict}: choose another, or --force it`);
    expect(await value(node)).toBeUndefined();
    const forced = await site.run(`annotate ${node} ${words} --force`);
    expect(forced).toMatchObject({ exitCode: 0, stdout: `node/${node} annotated` });
    expect(forced.stderr).toContain(`warning: ${conflict}`);
  });

  it("refuses one range for two nodes, and names split", async () => {
    const { exitCode, stderr } = await site.run(`annotate -l zone=1 ${key}=172.20.0.0/24`);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/172\.20\.0\.0\/24 \(\S+ of b\) overlaps with 172\.20\.0\.0\/24 \(\S+ of a\)/);
    expect(stderr).toContain("kubectl kube-node split");
    expect([await value("a"), await value("b")]).toEqual([undefined, undefined]);
  });

  it("refuses what split has promised to another node, and lets that node have it", async () => {
    expect((await site.run(`split ${key} --cidr=172.30.0.0/16 --per-node=/24`)).exitCode).toBe(0);
    for (const name of names) await site.api.setAnnotation(name, key, null);
    const refused = await site.run(`annotate b ${key}=172.30.0.0/25`);
    expect(refused).toEqual({
      exitCode: 1,
      stdout: "",
      stderr:
        `refused: 172.30.0.0/25 (${key} of b) overlaps with 172.30.0.0/24, which split has promised to a: choose another, or --force it\n` +
        "nothing was written",
    });
    expect((await site.run(`annotate a ${key}=172.30.0.0/24`)).exitCode).toBe(0);
    await site.api.setAnnotation("a", key, "172.31.0.0/24");
    expect((await site.run(`annotate b ${key}=172.30.0.0/25 --dry-run=server`)).exitCode).toBe(0);
    const forced = await site.run(`annotate b ${key}=172.30.2.0/24 --force --dry-run=client`);
    expect(forced.stderr).toBe(
      `warning: 172.30.2.0/24 (${key} of b) overlaps with 172.30.2.0/24, which split has promised to c`,
    );
    const elsewhere = await site.run(`annotate b ${key}=172.30.2.0/24 --plan-namespace=default`);
    expect(elsewhere.exitCode).toBe(0);
  });

  describe("a Node that changes between reading and writing", () => {
    const seen = async (): Promise<AnnotationChange> => {
      const { metadata } = (await site.api.getNode("a")) as KubeNode;
      const { name, uid, resourceVersion } = metadata;
      return { node: { name, uid, resourceVersion, podCIDRs: [], annotations: {} }, after: "172.20.0.0/24" };
    };

    it("is written where others changed something else", async () => {
      const change = await seen();
      await site.api.setAnnotation("a", "example.com/other", "1");
      await writeAnnotation(site.admin, change, key, "none");
      expect(await value("a")).toBe("172.20.0.0/24");
    });

    it("is left alone where somebody changed this annotation", async () => {
      const change = await seen();
      await site.api.setAnnotation("a", key, "172.29.0.0/24");
      await expect(writeAnnotation(site.admin, change, key, "none")).rejects.toThrow(
        `somebody changed ${key} to 172.29.0.0/24 meanwhile`,
      );
      expect(await value("a")).toBe("172.29.0.0/24");
    });

    it("is left alone where it was made anew", async () => {
      const change = await seen();
      await site.api.deleteNode("a");
      await site.api.createNode({ name: "a", podCIDRs: ["10.1.0.0/24"], labels: { zone: "1" } });
      await expect(writeAnnotation(site.admin, change, key, "none")).rejects.toThrow(
        "was made anew meanwhile",
      );
      expect(await value("a")).toBeUndefined();
    });
  });

  it("warns where a range is also the node's own podCIDR, and writes it", async () => {
    const { exitCode, stderr } = await site.run(`annotate a ${key}=10.1.0.128/25`);
    expect(stderr).toBe(
      `warning: ${key} of a overlaps with that node's own podCIDRs: good only where both are for one network`,
    );
    expect(exitCode).toBe(0);
  });

  it("replaces another value only with --overwrite, and names pods whose addresses would be outside", async () => {
    await site.api.setAnnotation("a", key, "172.20.0.0/24");
    await createPod(site.admin, {
      name: "web",
      node: "a",
      ips: ["10.1.0.2"],
      attachments: { "default/net1": ["172.20.0.9"] },
    });
    const refused = await site.run(`annotate a ${key}=172.20.8.0/24`);
    expect(refused.stderr).toContain(`refused: a has ${key}=172.20.0.0/24: --overwrite replaces it`);
    expect(refused.exitCode).toBe(1);
    const { stdout, stderr } = await site.run(`annotate a ${key}=172.20.8.0/24 --overwrite`);
    expect(stdout).toBe("node/a annotated");
    expect(stderr).toBe(
      "warning: 172.20.0.9 of default/web on a would lie outside: the pod keeps it until it ends",
    );
    expect((await site.run(`annotate a ${key}=172.20.0.0/28 --overwrite`)).stderr).toBe("");
  });

  it("takes an annotation away, as kubectl's KEY- or by --remove", async () => {
    for (const name of names) await site.api.setAnnotation(name, key, "172.20.0.0/24");
    expect((await site.run(`annotate a ${key}-`)).stdout).toBe("node/a annotation removed");
    expect((await site.run(`annotate --all --remove ${key}`)).stdout).toBe(
      "node/a unchanged\nnode/b annotation removed\nnode/c annotation removed",
    );
    expect(await Promise.all(names.map((name) => value(name)))).toEqual([undefined, undefined, undefined]);
  });

  it.each(["client", "server"])("--dry-run=%s writes nothing", async (how) => {
    const { stdout, exitCode } = await site.run(`annotate a ${key}=172.20.0.0/24 --dry-run=${how}`);
    expect(stdout).toBe(`node/a annotated (${how === "client" ? "" : "server "}dry run)`);
    expect(exitCode).toBe(0);
    expect(await value("a")).toBeUndefined();
  });

  it("takes JSON, and what node-annotation reads where a network says that it does", async () => {
    const ranges = '[[{"subnet": "172.20.0.0/24", "rangeStart": "172.20.0.9"}]]';
    expect((await site.run(["annotate", "a", key, `--ranges=${ranges}`])).stdout).toBe("node/a annotated");
    expect(await value("a")).toBe(ranges);
    const body = 'ranges: [[{subnet: "172.21.0.0/24"}]]';
    expect((await site.run(["annotate", "a", "example.com/body", `--ranges=${body}`])).stdout).toBe(
      "node/a annotated",
    );
    expect((await site.run("annotate b example.com/body=172.22.0.0/24")).exitCode).toBe(2);
    expect((await site.run('annotate b example.com/body=subnet:"172.21.0.0/28"')).stderr).toContain(
      "overlaps with 172.21.0.0/24",
    );
  });

  it.each([
    [`annotate a ${key}=172.20.0.0/33`, /"172\.20\.0\.0\/33": at character 1: .* is no CIDR/],
    [`annotate ${key}=172.20.0.0/24`, /no node is named/],
    ["annotate a", /what is to be written\?/],
    [`annotate a --all ${key}=172.20.0.0/24`, /give one of both/],
    [`annotate a b/c/d=172.20.0.0/24`, /no key of an annotation/],
    [`annotate a ${key}=172.20.0.0/24 --dry-run=never`, /Allowed choices are none, client, server/],
  ])("%s is a mistake in the words: 2", async (words, message) => {
    const { exitCode, stderr, stdout } = await site.run(words);
    expect(stderr).toMatch(message);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  });

  it("says which node isn't there, and writes nothing", async () => {
    const { exitCode, stderr } = await site.run(`annotate a nowhere ${key}=172.20.0.0/24`);
    expect(stderr).toBe("kubectl kube-node: there is no Node nowhere: kubectl get nodes lists them");
    expect(exitCode).toBe(1);
    expect(await value("a")).toBeUndefined();
  });

  it("names the right that is missing, goes past the nodes that fail, and ends with 1", async () => {
    const { admin } = site;
    const rbac = "/apis/rbac.authorization.k8s.io/v1";
    await admin.create(`${rbac}/clusterroles`, {
      metadata: { name: "annotator" },
      rules: [
        { apiGroups: [""], resources: ["nodes", "pods"], verbs: ["list"] },
        { apiGroups: ["networking.k8s.io"], resources: ["servicecidrs"], verbs: ["list"] },
        { apiGroups: [""], resources: ["nodes"], verbs: ["patch"], resourceNames: ["b"] },
      ],
    });
    await admin.create(`${rbac}/clusterrolebindings`, {
      metadata: { name: "annotator" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "annotator" },
      subjects: [{ kind: "User", name: "jane" }],
    });
    const words = `annotate -l zone=1 ${key}=172.20.0.0/24 --force --as=jane -o json`;
    await expect.poll(async () => (await site.run(words)).stdout, { timeout: 10_000 }).toContain("annotated");
    await site.api.setAnnotation("b", key, null);
    const { exitCode, stdout, stderr } = await site.run(words);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      apiVersion: "kube-node.io/v1",
      kind: "AnnotationResultList",
      items: [
        {
          node: "a",
          key,
          value: "172.20.0.0/24",
          state: "failed",
          error: expect.stringContaining('cannot patch resource "nodes"'),
        },
        { node: "b", key, value: "172.20.0.0/24", state: "annotated" },
      ],
    });
    expect(stderr).toContain('User "jane" cannot list resource "network-attachment-definitions"');
    expect(stderr).toMatch(
      /failed: a: nodes "a" is forbidden: User "jane" cannot patch resource "nodes" in API group "".*: ask for this right/,
    );
    expect(stderr).toContain("1 of 2 nodes could not be written; run it again for them");
  });
});
