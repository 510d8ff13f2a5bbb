import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { checkout, kubectl, whatLacks } from "../parts/tools.ts";
import { type Court, openCourt, waitFor } from "./parts/rights.ts";

const missing = reasonForNoRealApiServer();
const lack = whatLacks(missing ? { missing } : {}, kubectl());
const forbidden = /forbidden/i;
const key = "ippool.ipam.kube-node.io/a";
const time = "2026-01-01T00:00:00.000000Z";

describe.skipIf(lack.some)(`rights and policies of examples/controller/base${lack.words}`, () => {
  let court: Court;

  beforeAll(async () => {
    court = await openCourt();
    const { api, kube, logIn } = court;
    for (const name of ["node-a", "node-b"]) await api.createNode({ name, podCIDRs: [] });
    await kube("admin", ["apply", "-k", join(checkout, "examples/controller/base")]);
    await logIn("controller", "kube-node-controller");
    await kube("admin", ["create", "-f", "-"], pool);
    for (const [index, node] of ["node-a", "node-b", "node-a", "node-a"].entries())
      await kube("admin", ["create", "-f", "-"], blockOf(index, node));
    await waitFor(async () => {
      expect(
        await court.outcome("controller", ["label", "node", "node-a", "a=b", "--dry-run=server"]),
      ).toMatch(/annotations of pools alone/);
      expect(await court.outcome("admin", ["delete", "nodeblock", "ippool.a.0", "--dry-run=server"])).toMatch(
        /delete-anyway/,
      );
    });
  }, 120_000);
  afterAll(() => court?.close());

  const setStatus = (who: string, block: string, status: object) =>
    court.patch(who, `/apis/${apiVersion}/nodeblocks/${block}/status`, { status });
  const asAdmin = (block: string, status: object) =>
    court.outcome("admin", patch(["nodeblock", block, "--subresource=status"], { status }));
  const patch = (what: string[], change: object) => [
    "patch",
    ...what,
    "--type=merge",
    "-p",
    JSON.stringify(change),
  ];
  const annotate = (node: string, name: string) =>
    patch(["node", node], { metadata: { annotations: { [name]: String(Math.random()) } } });

  describe("the controller", () => {
    it.each([
      ["reads Nodes", ["get", "nodes"]],
      ["reads pools", ["get", "ippools,cidrpools"]],
      ["reads blocks", ["get", "nodeblocks"]],
      ["reads what Services have", ["get", "servicecidrs"]],
      ["writes a pool annotation", annotate("node-a", key)],
      ["writes one of a CIDRPool", annotate("node-b", "cidrpool.ipam.kube-node.io/b")],
      [
        "puts its finalizer onto a pool",
        patch(["ippool", "a"], { metadata: { finalizers: ["ipam.kube-node.io/blocks"] } }),
      ],
      ["takes it away", patch(["ippool", "a"], { metadata: { finalizers: null } })],
      ["closes a block", patch(["nodeblock", "ippool.a.3"], { spec: { closing: true } })],
    ] as [string, string[]][])("%s", async (_, words) =>
      expect(await court.outcome("controller", words)).toBe("done"),
    );

    it("claims a block, notes that its Node is gone, and deletes it, in use or not", async () => {
      expect(await court.outcome("controller", ["create", "-f", "-"], blockOf(9, "node-b"))).toBe("done");
      expect(
        await setStatus("controller", "ippool.a.9", { used: 3, nodeGoneAt: "2026-01-01T00:00:00Z" }),
      ).toBe("done");
      expect(await court.outcome("controller", ["delete", "nodeblock", "ippool.a.9"])).toBe("done");
    });

    it("applies a Node's annotations under its own field manager", async () => {
      const apply = {
        apiVersion: "v1",
        kind: "Node",
        metadata: { name: "node-a", annotations: { [key]: "{}" } },
      };
      const words = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--field-manager=kube-node-controller",
        "-f",
        "-",
      ];
      expect(await court.outcome("controller", words, apply)).toBe("done");
    });

    it("writes a pool's status", async () => {
      const path = `/apis/${apiVersion}/ippools/a/status`;
      expect(await court.patch("controller", path, { status: { observedGeneration: 1 } })).toBe("done");
    });

    it("writes events of pools, and counts them on", async () => {
      expect(await court.outcome("controller", ["create", "-f", "-"], event)).toBe("done");
      const series = { count: 2, lastObservedTime: time };
      const path = "/apis/events.k8s.io/v1/namespaces/default/events/pool-a";
      expect(await court.patch("controller", path, { series })).toBe("done");
    });

    it("leads: makes its Lease and renews it", async () => {
      expect(await court.outcome("controller", ["create", "-f", "-"], lease("kube-node-controller"))).toBe(
        "done",
      );
      const renewed = { ...lease("kube-node-controller"), spec: { holderIdentity: "two" } };
      expect(await court.outcome("controller", ["replace", "-f", "-"], renewed)).toBe("done");
    });

    it.each([
      ["a Node's labels", ["label", "node", "node-a", "a=b"], /annotations of pools alone/],
      [
        "a Node's taints",
        patch(["node", "node-a"], { spec: { unschedulable: true } }),
        /annotations of pools alone/,
      ],
      [
        "another annotation of a Node",
        annotate("node-a", "example.com/net1"),
        /the controller writes those of pools alone/,
      ],
      [
        "the agent's annotation",
        annotate("node-a", "ipam.kube-node.io/held"),
        /the controller writes those of pools alone/,
      ],
      ["a Node deleted", ["delete", "node", "node-a"], forbidden],
      ["a pool deleted", ["delete", "ippool", "a"], forbidden],
      ["pods", ["get", "pods", "-A"], forbidden],
      ["secrets", ["get", "secrets", "-A"], forbidden],
      ["ConfigMaps of its namespace", ["get", "configmaps", "--namespace=kube-node"], forbidden],
      ["all Leases of its namespace", ["get", "leases", "--namespace=kube-node"], forbidden],
      ["a Lease of others", ["get", "lease", "some", "--namespace=kube-system"], forbidden],
      ["tokens", ["create", "token", "kube-node-agent", "--namespace=kube-node"], forbidden],
      ["a policy deleted", ["delete", "validatingadmissionpolicy", "kube-node-annotations"], forbidden],
      ["CustomResourceDefinitions", ["get", "crds"], forbidden],
    ] as [string, string[], RegExp][])("is refused %s", async (_, words, said) => {
      expect(await court.outcome("controller", words)).toMatch(said);
    });

    it("is refused a Lease by another name, and a pool made", async () => {
      await court.kube("admin", ["create", "-f", "-"], lease("another"));
      const renewed = { ...lease("another"), spec: { holderIdentity: "two" } };
      expect(await court.outcome("controller", ["replace", "-f", "-"], renewed)).toMatch(forbidden);
      const other = { ...pool, metadata: { name: "b" } };
      expect(await court.outcome("controller", ["create", "-f", "-"], other)).toMatch(forbidden);
    });
  });

  describe("kubectl delete nodeblock", () => {
    const remove = (name: string) => court.outcome("admin", ["delete", "nodeblock", name]);

    it("is refused while pods have its addresses, and says what to do", async () => {
      await asAdmin("ippool.a.0", { used: 2 });
      const said = await remove("ippool.a.0");
      expect(said).toContain("block ippool.a.0 is node-a's, and pods have 2 of its addresses");
      expect(said).toContain("kubectl annotate nodeblock ippool.a.0 ipam.kube-node.io/delete-anyway=true");
    });

    it("is refused while its agent has said nothing, closing or not", async () => {
      expect(await remove("ippool.a.2")).toContain(
        "its agent has not said that none of its addresses is in use",
      );
      await court.kube("admin", patch(["nodeblock", "ippool.a.2"], { spec: { closing: true } }));
      expect(await remove("ippool.a.2")).toContain("its agent has not said");
    });

    it("goes through once it is closing and drained", async () => {
      await asAdmin("ippool.a.2", { used: 0, drained: true });
      expect(await remove("ippool.a.2")).toBe("done");
    });

    it("goes through for who insists", async () => {
      const insist = ["annotate", "nodeblock", "ippool.a.0", "ipam.kube-node.io/delete-anyway=true"];
      await court.kube("admin", insist);
      expect(await remove("ippool.a.0")).toBe("done");
    });

    it("of all at once is refused for those in use", async () => {
      await asAdmin("ippool.a.1", { used: 1 });
      expect(await court.outcome("admin", ["delete", "nodeblocks", "--all"])).toContain(
        "block ippool.a.1 is node-b's",
      );
      expect(await court.kube("admin", ["get", "nodeblock", "ippool.a.1", "-o", "name"])).toContain(
        "ippool.a.1",
      );
    });
  });

  it("holds nobody else back", async () => {
    expect(await court.outcome("admin", ["label", "node", "node-b", "a=b"])).toBe("done");
    expect(await court.outcome("admin", annotate("node-b", "example.com/net1"))).toBe("done");
    expect(await asAdmin("ippool.a.1", { used: 4 })).toBe("done");
  });
});

const apiVersion = "ipam.kube-node.io/v1alpha1";

const pool = {
  apiVersion,
  kind: "IPPool",
  metadata: { name: "a" },
  spec: { subnet: "192.168.0.0/24", perNodeBlockSize: 16 },
};

function blockOf(index: number, nodeName: string): object {
  const first = `192.168.0.${1 + 16 * index}`;
  const last = `192.168.0.${16 + 16 * index}`;
  const place = { pool: { kind: "IPPool", name: "a", uid: "uid" }, index: String(index), first, last };
  return {
    apiVersion,
    kind: "NodeBlock",
    metadata: { name: `ippool.a.${index}` },
    spec: { ...place, nodeName, nodeUID: `uid-of-${nodeName}` },
  };
}

function lease(name: string): object {
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name, namespace: "kube-node" },
    spec: { holderIdentity: "one" },
  };
}

const event = {
  apiVersion: "events.k8s.io/v1",
  kind: "Event",
  metadata: { name: "pool-a", namespace: "default" },
  regarding: { apiVersion, kind: "IPPool", name: "a" },
  eventTime: time,
  reportingController: "kube-node.io/controller",
  reportingInstance: "one",
  action: "PlanBlocks",
  reason: "NoFreeRanges",
  note: "a test",
  type: "Warning",
};
