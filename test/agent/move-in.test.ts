// The agent on a node that nv-ipam has left: what lived there is leased before the agent is ready, and nothing on doubt.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Client } from "../../src/kube/client.ts";
import { adminClient } from "../parts/admin-client.ts";
import type { ApiServer } from "../parts/api-server.ts";
import { createNamespace, createPod } from "../parts/cluster-objects.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../parts/real-api-server.ts";
import { hostLocals, whatLacks } from "../parts/tools.ts";
import { nvIpamStoreOf, type OldEntry, putNvIpamStore } from "../real/parts/nv-ipam-store.ts";
import { annotationOf } from "../real/parts/pooled-worker.ts";
import { privateMounts, withMounts } from "../real/parts/private-mounts.ts";
import { listLeases, listRecords } from "../real/parts/store.ts";
import { makeHost, startAgent } from "./parts/agent.ts";
import { metric } from "./parts/leaky-node.ts";

const missing = reasonForNoRealApiServer();
const noHostLocal = hostLocals().length === 0 ? { missing: "host-local" } : {};
const lack = whatLacks(missing ? { missing } : {}, privateMounts(), noHostLocal);
const block = { subnet: "10.1.0.0/16", ranges: ["10.1.0.2-10.1.0.9"], gateway: "10.1.0.1" };
let count = 0;

describe.skipIf(lack.some)(`the agent where nv-ipam was${lack.words}`, () => {
  let server: ApiServer;
  let client: Client;
  beforeAll(async () => {
    server = await startRealApiServer();
    client = await adminClient(server);
    await createNamespace(client, "default");
  }, 60_000);
  afterAll(async () => {
    client?.close();
    await server?.close();
  });

  async function makeMachine(entriesFor: (uid: string) => OldEntry[]) {
    const node = `moved-${process.pid}-${++count}`;
    const host = makeHost();
    const cni = host.path("cni");
    mkdirSync(cni);
    symlinkSync(hostLocals()[0]?.path ?? "", join(host.bin, "host-local"));
    const machineID = readFileSync("/etc/machine-id", "utf8").trim();
    await server.createNode({ name: node, machineID, podCIDRs: [] });
    const nodeUID = (await server.getNode(node))?.metadata.uid ?? "";
    await server.setAnnotation(node, ...annotationOf({ blocks: [block] }, nodeUID));
    const kubeconfig = host.path("kubeconfig");
    writeFileSync(kubeconfig, await server.kubeconfigFor({ kind: "admin" }), { mode: 0o600 });
    const ipam = { type: "nv-ipam", poolName: "a", logFile: host.path("log") };
    writeFileSync(
      join(host.conf, "10-net1.conf"),
      JSON.stringify({ cniVersion: "1.0.0", name: "net1", type: "host-device", ipam }),
    );
    await createPod(client, { name: `living-${count}`, node });
    const pod = await client.get<{ metadata: { uid: string } }>(
      `/api/v1/namespaces/default/pods/living-${count}`,
    );
    const store = putNvIpamStore(cni, nvIpamStoreOf(entriesFor(pod.metadata.uid)));
    const stores = join(cni, "networks");
    return {
      ...{ host, cni, store },
      leases: () => listLeases(join(stores, "net1")),
      records: () => listRecords(join(stores, ".kube-node/net1")),
      start: (...args: string[]) =>
        startAgent({
          ...{ host, node, kubeconfig, args: ["--credentials=none", ...args] },
          wrap: (command) => withMounts({ "/var/lib/cni": cni }, command),
        }),
    };
  }

  it("takes over what lives, passes over whose pod is gone, tells of doubts, and is ready then", async () => {
    const machine = await makeMachine((uid) => [
      { id: "living", ip: "10.1.0.2", uid },
      { id: "gone", ip: "10.1.0.3", uid: "11111111-2222-3333-4444-555555555555" },
      { id: "stray", ip: "10.9.0.2", uid },
    ]);
    const before = readFileSync(machine.store, "utf8");
    const agent = machine.start();
    await agent.said("a lease of nv-ipam's is in doubt");
    await expect.poll(async () => (await agent.get("/readyz")).status, { timeout: 20_000 }).toBe(200);
    expect(machine.leases()).toEqual({ "10.1.0.2": "living net1" });
    expect(machine.records()).toEqual(["living:net1"]);
    const { text } = await agent.get("/metrics");
    expect(metric(text, "kube_node_move_in_doubts", { network: "net1" })).toBe(1);
    expect(metric(text, "kube_node_moved_in_total", { outcome: "taken" })).toBe(1);
    expect(metric(text, "kube_node_moved_in_total", { outcome: "ended" })).toBe(1);
    expect(readFileSync(machine.store, "utf8")).toBe(before);
    expect(await agent.stop()).toBe(0);
  });

  it("isn't ready while nv-ipam's daemon is at work, nor on a store that is half-written", async () => {
    const machine = await makeMachine((uid) => [{ id: "living", ip: "10.1.0.2", uid }]);
    const whole = readFileSync(machine.store, "utf8");
    const daemon = createServer().listen(join(machine.cni, "nv-ipam/daemon.sock"));
    onTestFinished(() => void daemon.close());
    const agent = machine.start();
    const line = await agent.said("nv-ipam's leases can't be taken over");
    expect(line.reason).toContain("delete its DaemonSet");
    writeFileSync(machine.store, whole.slice(0, 90));
    await new Promise((resolve) => daemon.close(resolve));
    await agent.said("line 1, column");
    expect((await agent.get("/readyz")).status).toBe(503);
    expect(machine.leases()).toEqual({});
    writeFileSync(machine.store, whole);
    await expect.poll(async () => (await agent.get("/readyz")).status, { timeout: 20_000 }).toBe(200);
    expect(machine.leases()).toEqual({ "10.1.0.2": "living net1" });
    expect(await agent.stop()).toBe(0);
  });

  it("changes nothing by --dry-run", async () => {
    const machine = await makeMachine((uid) => [{ id: "living", ip: "10.1.0.2", uid }]);
    const agent = machine.start("--dry-run");
    await agent.said("nothing is taken over (--dry-run)");
    expect([machine.leases(), machine.records()]).toEqual([{}, []]);
    expect(await agent.stop()).toBe(0);
  });
});
