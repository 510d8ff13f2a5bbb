import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createNamespace, createNetwork, createPod, defineNetworks } from "../parts/cluster-objects.ts";
import { createNvIpamPool, installNvIpamResources } from "../parts/nv-ipam-resources.ts";
import { installPoolResources } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { checkout, kubectl, whatLacks } from "../parts/tools.ts";
import { fillPage, typeAt } from "./fill-page.ts";
import { openSite, type Site } from "./kubectl.ts";

const missing = reasonForNoRealApiServer();
const tool = kubectl();
const lack = whatLacks(missing === undefined ? {} : { missing }, tool);
const page = join(checkout, "docs/commands/kubectl-kube-node-migrate.md");

describe.skipIf(lack.some)(`docs/commands/kubectl-kube-node-migrate.md${lack.words}`, () => {
  let site: Site;

  beforeAll(async () => {
    site = await openSite();
    const { admin, api, folder } = site;
    for (const name of ["worker-1", "worker-2", "worker-3"]) await api.createNode({ name });
    await installPoolResources(admin);
    await installNvIpamResources(admin);
    await defineNetworks(admin);
    for (const name of ["shop", "elsewhere"]) await createNamespace(admin, name);
    const net1 = { subnet: "172.20.0.0/16", perNodeBlockSize: 128, gateway: "172.20.0.1" };
    await createNvIpamPool(admin, "IPPool", "net1", net1, [
      { nodeName: "worker-1", startIP: "172.20.0.1", endIP: "172.20.0.128" },
      { nodeName: "worker-2", startIP: "172.20.0.129", endIP: "172.20.1.0" },
    ]);
    const routed = { cidr: "10.20.0.0/16", perNodeNetworkPrefix: 24, gatewayIndex: 1 };
    await createNvIpamPool(admin, "CIDRPool", "routed", routed, [
      { nodeName: "worker-3", prefix: "10.20.0.0/24", gateway: "10.20.0.1" },
    ]);
    const odd = { subnet: "172.30.0.0/24", perNodeBlockSize: 16, defaultGateway: true };
    await createNvIpamPool(admin, "IPPool", "typo", odd, [], "elsewhere");
    const double = { nodeName: "worker-1", startIP: "172.31.0.1", endIP: "172.31.0.16" };
    const spec = { subnet: "172.31.0.0/24", perNodeBlockSize: 16 };
    const allocations = [double, { ...double, nodeName: "worker-2" }];
    await createNvIpamPool(admin, "IPPool", "doubled", spec, allocations, "elsewhere");
    const ipam = { type: "nv-ipam", poolName: "net1" };
    await createNetwork(admin, "shop/net1", { name: "net1", type: "macvlan", ipam });
    for (const [name, node, ip] of [
      ["db-0", "worker-1", "172.20.0.10"],
      ["web-0", "worker-2", "172.20.0.140"],
    ] as const)
      await createPod(admin, { name, namespace: "shop", node, attachments: { "shop/net1": [ip] } });
    for (const [node, third] of [
      ["worker-1", 1],
      ["worker-2", 2],
    ] as const) {
      const hostLocal = { type: "host-local", subnet: `10.1.${third}.0/24`, rangeStart: `10.1.${third}.10` };
      mkdirSync(join(folder, "nodes", node), { recursive: true });
      writeFileSync(
        join(folder, "nodes", node, "10-net1.conflist"),
        JSON.stringify({ cniVersion: "1.0.0", name: "net1", plugins: [{ type: "bridge", ipam: hostLocal }] }),
      );
    }
  }, 90_000);
  afterAll(() => site?.close());

  it("shows what its commands print; `vitest -u` writes it", async () => {
    const type = typeAt(site, tool.path, { LANG: "C.UTF-8" });
    const show = async (words: string) => {
      const { stdout, stderr } = await type(
        words.replace("ranges nodes", `ranges ${join(site.folder, "nodes")}`),
      );
      return [stdout, stderr];
    };
    const { parts, commands } = await fillPage(page, show, (text) => text.replaceAll(`${site.folder}/`, ""));
    expect(commands).toBe(8);
    await expect(parts.join("")).toMatchFileSnapshot(page);
  });
});
