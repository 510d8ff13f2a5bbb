// The controller serves nv-ipam's pools with the rights of its overlay and no others.
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Controller, startController } from "../controller/parts/controller.ts";
import { adminClient } from "../parts/admin-client.ts";
import { createNvIpamPool, installNvIpamResources, nvIpamPath } from "../parts/nv-ipam-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { checkout, kubectl, whatLacks } from "../parts/tools.ts";
import { type Court, openCourt, waitFor } from "./parts/rights.ts";

const missing = reasonForNoRealApiServer();
const lack = whatLacks(missing ? { missing } : {}, kubectl());
const spec = { subnet: "10.7.0.0/24", perNodeBlockSize: 10, gateway: "10.7.0.1" };

describe.skipIf(lack.some)(`rights of examples/controller/overlays/serve-nv-ipam${lack.words}`, () => {
  let court: Court;
  let controller: Controller | undefined;

  beforeAll(async () => {
    court = await openCourt();
    const admin = await adminClient(court.api);
    await installNvIpamResources(admin);
    await court.api.createNode({ name: "node-a", podCIDRs: [] });
    await createNvIpamPool(admin, "IPPool", "good", spec, [
      { nodeName: "node-a", startIP: "10.7.0.11", endIP: "10.7.0.20" },
    ]);
    await createNvIpamPool(admin, "IPPool", "bad", { ...spec, subnet: "10.8.0.0/24" });
    admin.close();
    await court.kube("admin", ["apply", "-k", join(checkout, "examples/controller/overlays/serve-nv-ipam")]);
    await court.logIn("controller", "kube-node-controller");
    controller = startController({
      kubeconfig: court.kubeconfigOf("controller"),
      args: ["--serve-group=nv-ipam.nvidia.com"],
    });
  }, 120_000);
  afterAll(async () => {
    controller?.kill("SIGKILL");
    await court?.close();
  });

  const jsonpath = (what: string[], path: string) =>
    court.kube("admin", ["get", ...what, "-o", `jsonpath={${path}}`]);

  it("takes a pool over, and writes its finalizer, its grid, its status, the Node and an event", async () => {
    const pool = ["ippools.nv-ipam.nvidia.com", "good", "--namespace=kube-system"];
    await waitFor(async () => {
      expect(await jsonpath(pool, ".metadata.managedFields[*].manager")).toContain("kube-node-controller");
      expect(await jsonpath(["node", "node-a"], ".metadata.annotations")).toContain("ippool.good.1");
    });
    expect(await jsonpath(pool, ".metadata.finalizers")).toContain("ipam.kube-node.io/blocks");
    expect(await jsonpath(pool, ".status.allocations[*].startIP")).toBe("10.7.0.11");
    await waitFor(async () =>
      expect(await jsonpath(["events", "--namespace=kube-system"], ".items[*].reason")).toContain(
        "InvalidSpec",
      ),
    );
    expect(controller?.lines().filter(({ reason = "" }) => /forbidden/i.test(reason))).toEqual([]);
  });

  it.each([
    ["a pool of nv-ipam's deleted", ["delete", "--raw", nvIpamPath("IPPool", "good")]],
    ["its pools elsewhere", ["get", "ippools.nv-ipam.nvidia.com", "--namespace=default"]],
    ["Leases of others", ["get", "lease", "some", "--namespace=kube-system"]],
    ["nv-ipam's Lease taken", ["delete", "lease", "dd1643cf.nvidia.com", "--namespace=kube-system"]],
    ["secrets there", ["get", "secrets", "--namespace=kube-system"]],
  ] as [string, string[]][])("is refused %s", async (_, words) => {
    expect(await court.outcome("controller", words)).toMatch(/forbidden/i);
  });
});
