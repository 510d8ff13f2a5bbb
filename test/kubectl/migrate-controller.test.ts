// The whole way with a controller at work: its blocks stay, whichever group's objects are there.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NodeBlock } from "../../src/api/node-block.ts";
import { poolAnnotationKey } from "../../src/api/pool-names.ts";
import { type Controller, startController } from "../controller/parts/controller.ts";
import { createNvIpamPool, installNvIpamResources, nvIpamPath } from "../parts/nv-ipam-resources.ts";
import { installPoolResources, poolPath } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { openSite, type Site } from "./kubectl.ts";

const missing = reasonForNoRealApiServer();
const lack = whatLacks(missing === undefined ? {} : { missing });
const names = ["n1", "n2", "n3", "n4"];
const given = [
  { nodeName: "n1", startIP: "192.168.0.1", endIP: "192.168.0.15" },
  { nodeName: "n3", startIP: "192.168.0.31", endIP: "192.168.0.45" },
  { nodeName: "n2", startIP: "192.168.0.61", endIP: "192.168.0.75" },
];
const all = { ...Object.fromEntries(given.map((one) => [one.nodeName, one.startIP])), n4: "192.168.0.16" };
const key = poolAnnotationKey({ kind: "IPPool", name: "a" });
const patience = { timeout: 20_000, interval: 200 };

describe.skipIf(lack.some)(`migrate nv-ipam beside kube-node-controller${lack.words}`, () => {
  let site: Site;
  let controller: Controller | undefined;

  beforeAll(async () => {
    site = await openSite();
    for (const name of names) await site.api.createNode({ name });
    await installPoolResources(site.admin);
    await installNvIpamResources(site.admin);
    const spec = { subnet: "192.168.0.0/24", perNodeBlockSize: 15, gateway: "192.168.0.1" };
    await createNvIpamPool(site.admin, "IPPool", "a", spec, given);
  }, 90_000);
  afterAll(async () => {
    controller?.kill("SIGKILL");
    await site?.close();
  });

  const blocks = async () =>
    Object.fromEntries(
      (await site.admin.list(poolPath("NodeBlock"), (item) => (item as NodeBlock).spec)).map((spec) => [
        spec.nodeName,
        `${spec.first}${spec.closing ? " closing" : ""}`,
      ]),
    );
  const annotations = async () =>
    Object.fromEntries(
      await Promise.all(
        names.map(async (name) => [name, (await site.api.getNode(name))?.metadata.annotations?.[key]]),
      ),
    );
  const allocations = () =>
    site.admin
      .get<{ status: { allocations: typeof given } }>(nvIpamPath("IPPool", "a"))
      .then(({ status }) => Object.fromEntries(status.allocations.map((one) => [one.nodeName, one.startIP])));
  const stepOf = async (words: string, at: number): Promise<string> => {
    const { stdout } = await site.run(`migrate nv-ipam -o json ${words}`.trimEnd());
    return (JSON.parse(stdout) as { steps: { state: string }[] }).steps[at]?.state ?? "";
  };

  it("there: claimed, served, rewritten; no block moves, and the node that is new gets one", async () => {
    expect((await site.run("migrate nv-ipam")).exitCode).toBe(1);
    const { n4, ...others } = all;
    expect(await blocks()).toEqual(others);
    const kubeconfig = await site.kubeconfigFor({ kind: "admin" });
    const args = ["--serve-group=nv-ipam.nvidia.com", "--leader-elect=true", "--lease-duration=2s"];
    controller = startController({ kubeconfig, args: [...args, "--leader-elect-namespace=kube-system"] });
    await expect.poll(blocks, patience).toEqual({ ...others, n4 });
    await expect.poll(() => stepOf("", 2), patience).toBe("done");
    await expect.poll(allocations, patience).toEqual(all);
    const shown = await annotations();
    await expect.poll(() => stepOf("--to-group", 5), patience).toBe("done");
    await expect.poll(() => stepOf("--to-group --finish", 6).catch(() => "done"), patience).toBe("done");
    await expect
      .poll(() => site.run("migrate nv-ipam --to-group --finish"), patience)
      .toMatchObject({
        stderr: expect.stringContaining("nothing to move"),
      });
    expect(await blocks()).toEqual(all);
    expect(await annotations()).toEqual(shown);
  }, 90_000);

  it("back: once the controller is stopped, all is nv-ipam's again", async () => {
    expect(await stepOf("--back", 0)).toBe("waits");
    await controller?.stop();
    expect(await stepOf("--back", 1)).toBe("done");
    expect(await allocations()).toEqual(all);
    expect(await blocks()).toEqual(all);
    expect(await stepOf("--back --finish", 4)).toBe("done");
    expect(await allocations()).toEqual(all);
    expect(await blocks()).toEqual({});
    expect(await annotations()).toEqual({});
  }, 90_000);
});
