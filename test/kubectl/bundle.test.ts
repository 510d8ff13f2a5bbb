import { mkdtempSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createNamespace, createNetwork, createPod, defineNetworks } from "../parts/cluster-objects.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { openSite, type Site } from "./kubectl.ts";

const missing = reasonForNoRealApiServer();
const lack = whatLacks(missing === undefined ? {} : { missing });
const key = "example.com/net1";
const longName = `node-${"x".repeat(50)}.${"y".repeat(60)}.${"z".repeat(60)}`;
// Where secrets are in real clusters; each must be looked for in vain.
const token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.Y2FuYXJ5LXNpZ25hdHVyZQ";
const kubeconfig = `users:\n- name: u\n  user:\n    token: canary-token\n    client-key-data: ${"Q2FuYXJ5".repeat(20)}\n`;

describe.skipIf(lack.some)(`kubectl kube-node bundle on a real API server${lack.words}`, () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite();
    const { admin, api } = site;
    const lastApplied = {
      "kubectl.kubernetes.io/last-applied-configuration": '{"password":"canary-applied"}',
    };
    const annotations = { [key]: "172.20.0.0/24", "team/note": "canary-note", ...lastApplied };
    await api.createNode({ name: "a", podCIDRs: ["10.1.0.0/24"], annotations, labels: { zone: "1" } });
    await api.createNode({ name: longName, annotations: { [key]: "172.20.1.0/24" } });
    await defineNetworks(admin);
    await createNamespace(admin, "default");
    await createNetwork(admin, "default/net1", {
      name: "net1",
      type: "bridge",
      password: "canary-nad",
      ipam: { type: "kube-node", annotation: key, token: "canary-ipam" },
    });
    await createPod(admin, {
      name: "p",
      node: "a",
      ips: ["10.1.0.2"],
      attachments: { "default/net1": ["172.20.0.2"] },
    });
    const pods = "/api/v1/namespaces/default/pods";
    await admin.create(pods, {
      metadata: { name: "secretive", annotations: { ...lastApplied, other: "canary-other" } },
      spec: {
        nodeName: "a",
        automountServiceAccountToken: false,
        containers: [
          { name: "c", image: "i", args: ["--x=canary-arg"], env: [{ name: "TOKEN", value: "canary-env" }] },
        ],
      },
    });
    await admin.create("/api/v1/namespaces/kube-system/configmaps", {
      metadata: { name: "multus-daemon-config", annotations: lastApplied },
      data: {
        "daemon-config.json": '{"cniVersion":"1.0.0","token":"canary-cm"}',
        kubeconfig,
        note: `see ${token}`,
      },
    });
    await admin.create("/api/v1/namespaces/kube-system/configmaps", {
      metadata: { name: "unrelated" },
      data: { note: "canary-unrelated" },
    });
    await admin.create("/api/v1/namespaces/default/secrets", {
      metadata: { name: "cni" },
      stringData: { a: "canary-secret" },
    });
    await admin.create("/api/v1/namespaces/default/events", {
      metadata: { name: "e" },
      involvedObject: { kind: "Pod", namespace: "default", name: "p" },
      source: { component: "kubelet", host: "a" },
      type: "Warning",
      reason: "FailedCreatePodSandBox",
      message: `no addresses left; Bearer canary-0123456789`,
    });
  }, 90_000);
  afterAll(() => site?.close());

  async function unpack(...words: string[]) {
    const folder = mkdtempSync(join(site.folder, "bundle-"));
    const file = join(folder, "b.tar.gz");
    const answer = await site.run(["bundle", ...words, "-o", file]);
    if (answer.exitCode !== 0) throw new Error(answer.stderr);
    await execa("tar", ["-xzf", file, "-C", folder, "--strip-components=1"]);
    const names = readdirSync(folder).filter((name) => name !== "b.tar.gz");
    const texts = Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
    return { file, answer, texts, json: (name: string) => JSON.parse(texts[name] as string) };
  }

  it("has configuration, versions, nodes, pods' addresses and events, and no secret", async () => {
    const { file, answer, texts, json } = await unpack();
    expect(answer.stdout).toBe(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const all = ["configmaps", "events", "networks", "nodes", "pods", "ranges", "version"].map(
      (name) => `${name}.json`,
    );
    expect(Object.keys(texts).toSorted()).toEqual([...all, "notes.txt"].toSorted());
    for (const [name, text] of Object.entries(texts)) {
      expect({ name, canaries: text.match(/canary[\w-]*/gi) }).toEqual({ name, canaries: null });
      expect(text).not.toContain("Q2FuYXJ5");
    }
    expect(json("version.json").server.major).toBe("1");
    expect(JSON.parse(json("networks.json")[0].spec.config).ipam).toEqual({
      type: "kube-node",
      annotation: key,
      token: "[removed]",
    });
    expect(json("nodes.json").map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toContain(
      longName,
    );
    expect(json("nodes.json")[0].metadata.annotations).toMatchObject({
      [key]: "172.20.0.0/24",
      "team/note": "[not taken]",
    });
    expect(json("ranges.json")).toContainEqual(expect.objectContaining({ node: "a", key }));
    expect(json("pods.json")[0]).toMatchObject({
      metadata: {
        name: "p",
        annotations: { "k8s.v1.cni.cncf.io/network-status": expect.stringContaining("172.20.0.2") },
      },
      status: { podIPs: [{ ip: "10.1.0.2" }] },
    });
    expect(json("events.json")[0]).toMatchObject({
      reason: "FailedCreatePodSandBox",
      message: "no addresses left; [removed]",
    });
    expect(
      json("configmaps.json").map(({ metadata }: { metadata: { name: string } }) => metadata.name),
    ).toContain("multus-daemon-config");
  });

  it("takes the chosen nodes alone", async () => {
    for (const words of [["a"], ["-l", "zone=1"]]) {
      const { json } = await unpack(...words);
      expect(json("nodes.json")).toHaveLength(1);
      expect(new Set(json("ranges.json").map(({ node }: { node: string }) => node))).toEqual(new Set(["a"]));
    }
    expect(await site.run("bundle nobody")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("there is no Node nobody"),
    });
    expect(await site.run("bundle a -l zone=1")).toMatchObject({ exitCode: 2 });
  });

  it("writes over nothing", async () => {
    const { file } = await unpack("a");
    expect(await site.run(["bundle", "-o", file])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("is there already"),
    });
  });
});
