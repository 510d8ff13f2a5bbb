import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createNamespace, createNetwork, createPod, defineNetworks } from "../parts/cluster-objects.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { checkout, kubectl, whatLacks } from "../parts/tools.ts";
import { fillPage, typeAt } from "./fill-page.ts";
import { openSite, type Site } from "./kubectl.ts";

const missing = reasonForNoRealApiServer();
const tool = kubectl();
const lack = whatLacks(missing === undefined ? {} : { missing }, tool);
const key = "example.com/net1";
const page = join(checkout, "docs/commands/kubectl-kube-node.md");

describe.skipIf(lack.some)(`docs/commands/kubectl-kube-node.md${lack.words}`, () => {
  let site: Site;

  beforeAll(async () => {
    site = await openSite();
    const { admin, api } = site;
    const values = ["172.20.0.0/24,fd00:20:0::/64", "172.20.1.0/24", "172.20.1.0/33"];
    for (const [index, value] of values.entries())
      await api.createNode({
        name: `worker-${index + 1}`,
        podCIDRs: [`10.244.${index}.0/24`],
        annotations: { [key]: value },
        labels: { "kubernetes.io/os": "linux" },
      });
    await defineNetworks(admin);
    await createNamespace(admin, "shop");
    await createNetwork(admin, "shop/net1", {
      name: "net1",
      type: "macvlan",
      ipam: { type: "kube-node", annotation: key },
    });
    const net1 = (...ips: string[]) => ({ "shop/net1": ips });
    await createPod(admin, {
      name: "db-0",
      namespace: "shop",
      node: "worker-1",
      ips: ["10.244.0.5"],
      attachments: net1("172.20.0.7", "fd00:20::7"),
    });
    await createPod(admin, {
      name: "web-0",
      namespace: "shop",
      node: "worker-2",
      ips: ["10.244.1.5"],
      attachments: net1("172.20.1.4"),
    });
    await createPod(admin, {
      name: "web-1",
      namespace: "shop",
      node: "worker-2",
      ips: ["10.244.1.6"],
      attachments: net1("172.20.9.9"),
    });
  }, 90_000);
  afterAll(() => site?.close());

  /** The page with what its commands (`$ …` in console blocks) print now, both streams; `vitest -u` writes it. */
  it("shows what its commands print", async () => {
    const type = typeAt(site, tool.path);
    const show = async (words: string) => {
      const { stdout, stderr } = await type(words);
      return [stdout, stderr];
    };
    const { parts } = await fillPage(page, show, (text) =>
      text.replace(/since \S+ \(\d+\w\)/g, "since 2026-01-02T03:04:05Z (3d)"),
    );
    expect(parts.length).toBeGreaterThan(9);
    await expect(parts.join("")).toMatchFileSnapshot(page);
  });
});
