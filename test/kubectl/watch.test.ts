import { existsSync } from "node:fs";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createNamespace, createNetwork, createPod, defineNetworks } from "../parts/cluster-objects.ts";
import { executables } from "../parts/plugin.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { inPath, whatLacks } from "../parts/tools.ts";
import { openSite, type Site } from "./kubectl.ts";

const missing = reasonForNoRealApiServer();
const lack = whatLacks(missing === undefined ? {} : { missing });
const script = inPath("script").find((path) => existsSync(path));
const terminal = whatLacks(script ? {} : { missing: "script (util-linux)" });
const key = "example.com/net1";

describe.skipIf(lack.some)(`kubectl kube-node watch on a real API server${lack.words}`, () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite();
    await site.api.createNode({ name: "a", annotations: { [key]: "172.20.0.0/24" }, labels: { zone: "1" } });
    await site.api.createNode({ name: "z", annotations: { [key]: "172.20.9.0/24" } });
    await defineNetworks(site.admin);
    await createNamespace(site.admin, "default");
    const ipam = { type: "kube-node", annotation: key };
    await createNetwork(site.admin, "default/net1", { name: "net1", type: "bridge", ipam });
  }, 90_000);
  afterAll(() => site?.close());

  it.each(executables())(
    "says each change, with its time, through a restart of the API server ($label)",
    async ({ command }) => {
      const [file = "", ...words] = command("kubectl-kube_node");
      const kubeconfig = await site.kubeconfigFor({ kind: "admin" });
      const watch = execa(file, [...words, "watch", "-l", "zone=1", "--key", key], {
        env: { KUBECONFIG: kubeconfig },
        reject: false,
      });
      let stdout = "";
      let stderr = "";
      watch.stdout.on("data", (chunk) => (stdout += chunk));
      watch.stderr.on("data", (chunk) => (stderr += chunk));
      const has = (words: string) => expect.poll(() => stdout, { timeout: 25_000 }).toContain(words);
      try {
        await has(` a ${key} 172.20.0.0/24 used=0 size=253\n`);
        await createPod(site.admin, {
          name: "p",
          node: "a",
          ips: ["10.1.0.2"],
          attachments: { "default/net1": ["172.20.0.2"] },
        });
        await has(` a ${key} 172.20.0.0/24 used=1 size=253\n`);
        await site.api.setAnnotation("a", key, "172.20.1.0/24");
        await has(` a ${key} 172.20.0.0/24 gone\n`);
        await has(` a ${key} 172.20.1.0/24 used=0 size=253\n`);
        await site.api.stop();
        await expect.poll(() => stderr, { timeout: 25_000 }).toContain("trying again");
        await site.api.start();
        await site.api.setAnnotation("a", key, "172.20.2.0/33");
        await has(` a ${key} malformed: `);
        expect(stdout).not.toContain(" z ");
        // Words of the runtimes' own.
        expect(stderr).not.toMatch(/fetch\(\)|socket|terminated|ECONN/);
        for (const line of stdout.trimEnd().split("\n")) expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z a /);
      } finally {
        watch.kill("SIGKILL");
        await watch;
        await site.admin.remove("/api/v1/namespaces/default/pods/p?gracePeriodSeconds=0").catch(() => {});
        await site.api.setAnnotation("a", key, "172.20.0.0/24");
      }
    },
    90_000,
  );

  it("counts an annotation from when a NetworkAttachmentDefinition names it", async () => {
    const [file = "", ...words] = executables()[0]?.command("kubectl-kube_node") ?? [];
    const watch = execa(file, [...words, "watch"], {
      env: { KUBECONFIG: await site.kubeconfigFor({ kind: "admin" }) },
      reject: false,
    });
    let stdout = "";
    watch.stdout.on("data", (chunk) => (stdout += chunk));
    const has = (words: string) => expect.poll(() => stdout, { timeout: 25_000 }).toContain(words);
    const path = "/apis/k8s.cni.cncf.io/v1/namespaces/default/network-attachment-definitions/late";
    try {
      await site.api.setAnnotation("a", "example.com/late", "not yet ranges");
      await has(` z ${key} 172.20.9.0/24 used=0 size=253\n`);
      expect(stdout).not.toContain("example.com/late");
      const ipam = { type: "kube-node", annotation: "example.com/late" };
      await createNetwork(site.admin, "default/late", { name: "late", type: "bridge", ipam });
      await has(" a example.com/late malformed: ");
      await site.admin.remove(path);
      await has(" a example.com/late gone\n");
    } finally {
      watch.kill("SIGKILL");
      await watch;
      await site.admin.remove(path).catch(() => {});
      await site.api.setAnnotation("a", "example.com/late", null);
    }
  }, 60_000);

  /** Lines of the first picture on a terminal of this size, without colours. */
  async function screenOf(rows: number, columns: number, words: string): Promise<string[]> {
    const kubeconfig = await site.kubeconfigFor({ kind: "admin" });
    const program = executables()[0]?.command("kubectl-kube_node").join(" ");
    const command = `stty rows ${rows} cols ${columns}; timeout 8 ${program} ${words}`;
    const { stdout } = await execa(script as string, ["-qec", command, "/dev/null"], {
      env: { KUBECONFIG: kubeconfig, TERM: "xterm" },
      reject: false,
    });
    const [, screen = ""] = stdout.split("\u001b[H\u001b[2J");
    return screen
      .trimEnd()
      .replaceAll("\r", "")
      .replace(/\u001b\[\d+m/g, "")
      .split("\n");
  }

  it.skipIf(terminal.some)(`draws a table on a terminal${terminal.words}`, async () => {
    const [head, columns, ...nodes] = await screenOf(8, 100, `watch --key ${key}`);
    expect(head).toMatch(/^2 nodes' ranges, /);
    expect(columns).toMatch(/^NODE +KEY +RANGES +SIZE +USED +FREE +FULL/);
    expect(nodes.map((line) => line.split(/ +/).slice(0, 6).join(" "))).toEqual([
      `a ${key} 172.20.0.0/24 253 0 253`,
      `z ${key} 172.20.9.0/24 253 0 253`,
    ]);
  });

  it.skipIf(terminal.some)(
    `draws no more lines than the window has, none wider than it, and counts a node once${terminal.words}`,
    async () => {
      const lines = await screenOf(6, 30, `watch --key ${key},example.com/net2,example.com/net3`);
      expect(lines).toEqual([
        expect.stringMatching(/^2 nodes' ranges, /),
        "NODE   KEY                RAN…",
        "a      example.com/net1   172…",
        "a      example.com/net2   <no…",
        "… and 4 lines more: -l or --k…",
      ]);
    },
  );

  it.skipIf(terminal.some)(`counts as 80 by 24 where a terminal has no size${terminal.words}`, async () => {
    const lines = await screenOf(0, 0, `watch --key ${key}`);
    expect(lines).toHaveLength(4);
    expect(lines[3]).toMatch(/^z +example\.com\/net1 +172\.20\.9\.0\/24 +253/);
  });
});
