import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createNamespace, createNetwork, createPod, defineNetworks } from "../parts/cluster-objects.ts";
import { createPool, giveBlocks } from "../parts/given-blocks.ts";
import { installPoolResources, poolPath } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { checkout, kubectl, whatLacks } from "../parts/tools.ts";
import { fillPage, typeAt } from "./fill-page.ts";
import { openSite, type Site } from "./kubectl.ts";

const missing = reasonForNoRealApiServer();
const tool = kubectl();
const lack = whatLacks(missing === undefined ? {} : { missing }, tool);
const page = join(checkout, "docs/commands/kubectl-kube-node-pools.md");

describe.skipIf(lack.some)(`docs/commands/kubectl-kube-node-pools.md${lack.words}`, () => {
  let site: Site;

  beforeAll(async () => {
    site = await openSite();
    const { admin, api } = site;
    for (const name of ["worker-1", "worker-2", "worker-3"]) await api.createNode({ name });
    await installPoolResources(admin);
    const net1 = await createPool(admin, "IPPool", "net1", {
      subnet: "172.20.0.0/24",
      perNodeBlockSize: 16,
      gateway: "172.20.0.1",
      exclusions: [
        { startIP: "172.20.0.2", endIP: "172.20.0.9" },
        { startIP: "172.20.0.193", endIP: "172.20.0.254" },
      ],
    });
    const routed = await createPool(admin, "CIDRPool", "net1", {
      cidr: "fd00:20::/48",
      perNodeNetworkPrefix: 64,
      gatewayIndex: 1,
    });
    await giveBlocks(admin, net1, "worker-1", [{ index: 0n }]);
    await giveBlocks(admin, net1, "worker-2", [{ index: 1n, closing: true }, { index: 2n }]);
    await giveBlocks(admin, routed, "worker-1", [{ index: 0n }]);
    await giveBlocks(admin, routed, "worker-3", [{ index: 2n }]);
    await defineNetworks(admin);
    await createNamespace(admin, "shop");
    const ipam = { type: "kube-node", pool: "net1" };
    await createNetwork(admin, "shop/net1", { name: "net1", type: "macvlan", ipam });
    for (const [name, node, ip] of [
      ["db-0", "worker-1", "172.20.0.10"],
      ["web-0", "worker-2", "172.20.0.18"],
      ["web-1", "worker-2", "172.20.0.33"],
    ] as const)
      await createPod(admin, { name, namespace: "shop", node, attachments: { "shop/net1": [ip] } });
  }, 90_000);
  afterAll(() => site?.close());

  it("shows what its commands print; `vitest -u` writes it", async () => {
    const type = typeAt(site, tool.path, { LANG: "C.UTF-8" });
    let count = 0;
    const show = async (words: string) => {
      // A restore that lost what came after the backup.
      if (count++ === 5) for (const name of ["cidrpool.net1.2", "ippool.net1.2"]) await forget(name);
      const { stdout, stderr } = await type(words);
      return [stdout, stderr];
    };
    const { parts, commands } = await fillPage(page, show, (text) =>
      text.replace(/since \S+ \(\d+\w\)/g, "since 2026-01-02T03:04:05Z (3d)"),
    );
    expect(commands).toBe(9);
    await expect(parts.join("")).toMatchFileSnapshot(page);
  });

  const forget = (name: string) => site.admin.remove(poolPath("NodeBlock", name));
});
