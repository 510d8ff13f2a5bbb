// Every example, loaded; and the ipam of each of kube-node's run without a right to anything. machine.test.ts runs them as they stand.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parseNodeAnnotationConfig } from "../../src/api/node-annotation-config.ts";
import { checkFiles } from "../../src/check/check-files.ts";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { callPlugin } from "../parts/plugin.ts";
import { addressesIn, expectSilence } from "../real/parts/answers.ts";
import { annotationOf } from "../real/parts/pooled-worker.ts";
import { privateMounts, withMounts } from "../real/parts/private-mounts.ts";
import { describeHostLocals } from "../real/parts/subjects.ts";
import { exampleFiles, pluginsOf, readExample } from "./parts/documents.ts";

const runs = exampleFiles().flatMap((file) => pluginsOf(file).map((config) => ({ file, config })));

/** With a /var/lib/cni of the test's, where a test may mount: with pools the plugin writes there whatever its dataDir is. */
function onMachine(command: string[]): string[] {
  return privateMounts().missing ? command : withMounts({ "/var/lib/cni": work }, command);
}

let api: EmbeddedApiServer;
const work = mkdtempSync(join(tmpdir(), "examples-"));
const kubeconfig = join(work, "kubeconfig");

beforeAll(async () => {
  api = await startEmbeddedApiServer();
  const annotations = { "kube-node.nordix.org/net1": "172.20.2.0/24,fd00::2:0:0/96" };
  await api.createNode({ name: "worker-1", podCIDRs: ["11.0.1.0/24", "1100:0:0:1::/64"], annotations });
  const uid = (await api.getNode("worker-1"))?.metadata.uid ?? "";
  const blocks = {
    "storage-v4": ["172.31.0.0/16", "172.31.0.5-172.31.0.128"],
    "storage-v6": ["fd00:31::/64", "fd00:31::1-fd00:31::80"],
  };
  for (const [name, [subnet = "", range = ""]] of Object.entries(blocks))
    await api.setAnnotation(
      "worker-1",
      ...annotationOf({ name, blocks: [{ subnet, ranges: [range] }] }, uid),
    );
  writeFileSync(kubeconfig, await api.kubeconfigFor({ kind: "kubelet", node: "worker-1" }));
});
afterAll(async () => {
  await api?.close();
  rmSync(work, { recursive: true });
});

it("are all known here: those that a test runs, and those that are read or applied", () => {
  const run = new Set(runs.map(({ file }) => file));
  expect([...run]).toEqual([
    "gated/10-kube-node.conflist",
    "node-annotation/network-attachment-definition.yaml",
    "pooled/10-kube-node.conflist",
    "pooled/network-attachment-definition.yaml",
    "primary/10-kube-node.conflist",
    "secondary/network-attachment-definition.yaml",
  ]);
  expect(exampleFiles().filter((file) => !run.has(file))).toEqual([
    "node-annotation/node-annotation.conf",
    "pooled/pools.yaml",
    "rbac/own-node.yaml",
    "rbac/people.yaml",
  ]);
});

it("pools.yaml is what check-config takes", () => {
  expect(checkFiles([{ name: "pools.yaml", text: readExample("pooled/pools.yaml") }])).toEqual([]);
});

it("node-annotation.conf is a configuration of node-annotation's", () => {
  expect(parseNodeAnnotationConfig(readExample("node-annotation/node-annotation.conf"))).toEqual({
    kubeconfig: "/var/lib/kubelet/kubeconfig",
    nextipam: "/opt/cni/bin/host-local",
  });
});

describeHostLocals("examples", ({ executable, hostLocal, label }) => {
  const ours = runs.filter(({ config }) => config.ipam?.type === "kube-node");
  it.each(ours)("$file gives a pod its addresses", async ({ config }) => {
    const call = {
      command: onMachine(executable.command("kube-node")),
      path: hostLocal.folder,
      containerID: "c1",
      ifname: "eth0",
      netns: "/var/run/netns/none",
      args: "IgnoreUnknown=1;K8S_POD_NAMESPACE=old-application",
      stdin: {
        ...config,
        ipam: { ...config.ipam, kubeconfig, dataDir: join(work, label.replaceAll(/\W/g, "-")) },
      },
    };
    expect(addressesIn(await callPlugin({ ...call, verb: "ADD" }))).toHaveLength(2);
    expectSilence(await callPlugin({ ...call, verb: "DEL" }));
  });
});
