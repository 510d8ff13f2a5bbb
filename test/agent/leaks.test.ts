// The agent frees what died, after two looks and the grace period, and nothing that lives or may live.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { createPod } from "../parts/cluster-objects.ts";
import { listLeases } from "../real/parts/store.ts";
import { type Agent, until } from "./parts/agent.ts";
import { type LeakyNode, makeLeakyNode, metric } from "./parts/leaky-node.ts";
import { lack, useServer } from "./parts/own-server.ts";
import { startRuntime } from "./parts/runtime.ts";

vi.setConfig({ testTimeout: 90_000 }); // Each look of the agent takes a second, and the machine may have other work.

const own = useServer();

/** Whoever has none of these leases any more, within some looks. */
async function untilFreed(node: LeakyNode, ...ids: string[]): Promise<void> {
  await until(
    () => ids.every((id) => !node.holders().includes(id)),
    () => `${ids.join(" and ")} are freed; left: ${node.holders().join(" ")}`,
    60_000,
  );
}

/** So many looks from now on have come to their end. */
async function looks(agent: Agent, count: number): Promise<void> {
  const done = async () => metric((await agent.get("/metrics")).text, "kube_node_leak_looks_total") ?? 0;
  const before = await done();
  for (const end = Date.now() + 30_000; Date.now() < end; await pause(100))
    if ((await done()) >= before + count) return;
  throw new Error("the agent looks no more");
}

describe.skipIf(lack.some)(`leaks${lack.words}`, () => {
  const make = () => makeLeakyNode(own.server, own.client);

  it("are freed where they are proven, beside pods that live and what nobody can judge", async () => {
    const node = await make();
    for (const id of ["live", "dead", "rebooted", "torn", "bare", "newer"]) await node.attach(id);
    node.endNamespace("newer");
    node.editRecord("newer", { version: 2 });
    node.endNamespace("dead");
    node.editRecord("rebooted", { bootID: "an earlier one" });
    writeFileSync(node.recordOf("torn"), '{"version": 1, "contai');
    const foreign = join(node.dataDir, "net1", "10.1.0.99");
    writeFileSync(foreign, "somebody\r\neth0");
    const agent = node.startAgent();
    await agent.said("found a leak");
    await untilFreed(node, "dead", "rebooted");
    await looks(agent, 3);
    expect(node.holders()).toEqual(["bare", "live", "newer", "somebody", "torn"]);
    expect(node.records()).toEqual(["bare:eth0", "live:eth0", "newer:eth0", "torn:eth0"]);
    await node.check("live");
    const { text } = await agent.get("/metrics");
    const freed = (result: string) => metric(text, "kube_node_leaks_freed_total", { kind: "dead", result });
    expect(freed("freed")).toBe(2);
    expect(metric(text, "kube_node_leaks", { kind: "lease-without-record", freeable: "false" })).toBe(1);
    expect(metric(text, "kube_node_leaks", { kind: "damaged-record", freeable: "false" })).toBe(2);
    expect(metric(text, "kube_node_attachments", { state: "live" })).toBe(2);
    const lines = agent.lines().filter(({ msg }) => msg === "freed a leak");
    expect(lines.map(({ containerID }) => containerID).sort()).toEqual(["dead", "rebooted"]);
    expect(await agent.stop()).toBe(0);
  });

  it("after a reboot are all from before it, and none of whom the runtime has started since", async () => {
    const node = await make();
    for (const id of ["before1", "before2"]) await node.attach(id);
    await node.attach("before3", { network: "net3" });
    for (const id of ["before1", "before2", "before3"]) node.endNamespace(id);
    const bootID = join(node.dataDir, "boot_id");
    writeFileSync(bootID, "01234567-89ab-4cde-8f01-23456789abcd\n");
    const script = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"';
    const wrap = (command: string[]) => ["unshare", "--mount", "sh", "-c", script, bootID, ...command];
    await node.attach("after", { wrap });
    const agent = node.startAgent({ wrap });
    await untilFreed(node, "before1", "before2");
    await until(() => node.holders("net3").length === 0, "the other network's is freed, too", 60_000);
    const freed = agent.lines().filter(({ msg }) => msg === "freed a leak");
    for (const { reason } of freed) expect(reason).toContain("it is of an earlier boot");
    await looks(agent, 3);
    expect(node.holders()).toEqual(["after"]);
    expect(node.records()).toEqual(["after:eth0"]);
  });

  it("are found in every network, wherever a configuration has it keep its leases", async () => {
    const node = await make();
    const elsewhere = `${node.dataDir}-elsewhere`;
    const ipam = { type: "kube-node", dataDir: elsewhere };
    const config = { cniVersion: "1.0.0", name: "net2", type: "bridge", ipam };
    writeFileSync(join(node.host.conf, "20-net2.conf"), JSON.stringify(config));
    await node.attach("dead");
    await node.attach("dead", { network: "net3" });
    await node.attachAt(elsewhere, "dead", "net2");
    node.endNamespace("dead");
    node.startAgent();
    const left = () => [
      ...node.holders(),
      ...node.holders("net3"),
      ...Object.keys(listLeases(join(elsewhere, "net2"))),
    ];
    await until(
      () => left().length === 0,
      () => `all are freed; left: ${left().join(" ")}`,
      60_000,
    );
  });

  it("wait for their grace period, however often the agent looks", async () => {
    const node = await make();
    await node.attach("dead");
    node.endNamespace("dead");
    const agent = node.startAgent({ args: ["--grace-period=1h"] });
    await looks(agent, 3);
    expect(node.holders()).toEqual(["dead"]);
  });

  it("are only told of with --dry-run", async () => {
    const node = await make();
    await node.attach("dead");
    node.endNamespace("dead");
    const agent = node.startAgent({ args: ["--dry-run"] });
    // A new namespace of another test may have the number of the dead one for a while.
    await vi.waitFor(
      async () =>
        expect(metric((await agent.get("/metrics")).text, "kube_node_leaks", { freeable: "true" })).toBe(1),
      { timeout: 60_000, interval: 500 },
    );
    await looks(agent, 4);
    expect(node.holders()).toEqual(["dead"]);
  });

  it("of pods that were deleted while no agent ran are freed at start", async () => {
    const node = await make();
    for (const id of ["deleted", "kept", "proof"]) await node.attach(id, { isKnown: true });
    for (const id of ["deleted", "kept"]) {
      node.endNamespace(id);
      node.forgetViewpoint(id); // Its runtime was started anew: its mount namespace proves nothing any more.
    }
    await own.client.remove("/api/v1/namespaces/default/pods/deleted?gracePeriodSeconds=0");
    const agent = node.startAgent();
    await untilFreed(node, "deleted");
    expect(await agent.said("freed a leak")).toMatchObject({
      kind: "dead",
      reason: expect.stringContaining("its pod is gone"),
    });
    await looks(agent, 3);
    expect(node.holders()).toEqual(["kept", "proof"]);
    // And while it runs.
    await own.client.remove("/api/v1/namespaces/default/pods/kept?gracePeriodSeconds=0");
    await untilFreed(node, "kept");
    expect(node.holders()).toEqual(["proof"]);
  });

  it("of a pod that was attached a moment ago and is gone are freed by the first list, not when the watch is heard again", async () => {
    const node = await make();
    for (const id of ["brief", "witness"]) await node.attach(id, { isKnown: true, age: 0 });
    node.endNamespace("brief");
    node.forgetViewpoint("brief");
    await own.client.remove("/api/v1/namespaces/default/pods/brief?gracePeriodSeconds=0");
    const began = Date.now();
    node.startAgent();
    await untilFreed(node, "brief");
    expect(Date.now() - began).toBeLessThan(25_000); // A bookmark comes after a minute, a watch is taken to be 30 s behind.
    expect(node.holders()).toEqual(["witness"]);
  });

  it("are no pods that kubelet runs from files: their UID is another in the API", async () => {
    const node = await make();
    await node.attach("static", { uid: "0123456789abcdef0123456789abcdef" });
    await node.attach("proof");
    await createPod(own.client, { name: `static-${node.name}`, node: node.name });
    await own.client.patch(
      `/api/v1/namespaces/default/pods/static-${node.name}`,
      { metadata: { annotations: { "kubernetes.io/config.hash": "0123456789abcdef0123456789abcdef" } } },
      "merge",
    );
    node.endNamespace("static");
    node.forgetViewpoint("static");
    const agent = node.startAgent();
    await looks(agent, 5);
    expect(node.holders()).toEqual(["proof", "static"]);
  });

  it("without the API server are those of earlier boots, and of namespaces that are proven gone", async () => {
    const node = await make();
    for (const id of ["live", "dead", "rebooted", "doubtful"]) await node.attach(id);
    for (const id of ["dead", "doubtful"]) node.endNamespace(id);
    node.forgetViewpoint("doubtful");
    node.editRecord("rebooted", { bootID: "an earlier one" });
    const kubeconfig = join(node.dataDir, "nobody.kubeconfig");
    writeFileSync(
      kubeconfig,
      await own.server.kubeconfigFor({ kind: "admin" }, { url: "https://127.0.0.1:9" }),
      {
        mode: 0o600,
      },
    );
    const agent = node.startAgent({ kubeconfig });
    await untilFreed(node, "dead", "rebooted");
    await looks(agent, 3);
    expect(node.holders()).toEqual(["doubtful", "live"]);
    expect(metric((await agent.get("/metrics")).text, "kube_node_leak_evidence", { kind: "pods" })).toBe(0);
  });

  it("in a folder that can't be written are told of, and freed once it can; who lives keeps what it has", async () => {
    const node = await make();
    for (const id of ["live", "dead"]) await node.attach(id);
    node.endNamespace("dead");
    const script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"';
    const wrap = (command: string[]) => ["unshare", "--mount", "sh", "-c", script, node.dataDir, ...command];
    const agent = node.startAgent({ wrap });
    const { failure } = await agent.said("a leak can't be freed");
    expect(failure).toContain("EROFS");
    await looks(agent, 3);
    expect(node.holders()).toEqual(["dead", "live"]);
    const { text } = await agent.get("/metrics");
    expect(metric(text, "kube_node_leaks_freed_total", { result: "failed" })).toBeGreaterThan(0);
    const remount = ["mount", "-o", "remount,bind,rw", node.dataDir];
    execFileSync("nsenter", [`--target=${agent.pid}`, "--mount", ...remount]);
    await untilFreed(node, "dead");
    await looks(agent, 2);
    expect(node.holders()).toEqual(["live"]);
    await node.check("live");
  });

  it("aren't judged by namespaces where the machine's are out of sight", async () => {
    const node = await make();
    for (const id of ["live", "dead", "rebooted"]) await node.attach(id);
    node.endNamespace("dead");
    node.editRecord("rebooted", { bootID: "an earlier one" });
    const wrap = (command: string[]) => [
      "unshare",
      "--mount",
      "--pid",
      "--fork",
      "--mount-proc",
      ...hide,
      ...command,
    ];
    const agent = node.startAgent({ wrap });
    await untilFreed(node, "rebooted");
    await looks(agent, 4);
    expect(node.holders()).toEqual(["dead", "live"]);
    await agent.said("out of sight");
    const { text } = await agent.get("/metrics");
    expect(metric(text, "kube_node_leak_evidence", { kind: "namespaces" })).toBe(0);
    // Else each live pod would be told of as a leak.
    expect(metric(text, "kube_node_leaks")).toBeUndefined();
  });

  it("are no pods whose namespaces aren't mounted where the agent stands", async () => {
    const node = await make();
    for (const id of ["live", "dead"]) await node.attach(id);
    node.endNamespace("dead");
    const agent = node.startAgent({ wrap: (command) => ["unshare", "--mount", ...hide, ...command] });
    await untilFreed(node, "dead"); // It looks into the runtime's own mount namespace.
    await looks(agent, 3);
    expect(node.holders()).toEqual(["live"]);
    await node.check("live");
  });

  it("are those whose namespace's number is a later pod's by now, in an image that has no /var/run", async () => {
    const node = await make();
    for (const id of ["dead", "later"]) await node.attach(id, { age: id === "dead" ? 200 : 100 });
    const { netns, netnsID } = JSON.parse(readFileSync(node.recordOf("later"), "utf8"));
    const asNamed = (path: string) => path.replace(/^(\/var)?\/run/, "/var/run");
    node.endNamespace("dead");
    node.editRecord("dead", { netns: "/var/run/netns/cni-gone", netnsID });
    node.editRecord("later", { netns: asNamed(netns) });
    const wrap = (command: string[]) => [
      ...["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /var && exec "$@"', "sh"],
      ...command,
    ];
    const agent = node.startAgent({ wrap });
    await untilFreed(node, "dead");
    expect(await agent.said("freed a leak")).toMatchObject({
      reason: expect.stringContaining("is another container's now"),
    });
    await looks(agent, 3);
    expect(node.holders()).toEqual(["later"]);
  });

  it("are none of a container whose sandbox the runtime has, and are where it has none", async () => {
    const node = await make();
    for (const id of ["ready", "removed", "proof"]) await node.attach(id);
    for (const id of ["ready", "removed"]) {
      node.endNamespace(id);
      node.forgetViewpoint(id);
    }
    const kubeconfig = join(node.dataDir, "nobody.kubeconfig");
    writeFileSync(
      kubeconfig,
      await own.server.kubeconfigFor({ kind: "admin" }, { url: "https://127.0.0.1:9" }),
      {
        mode: 0o600,
      },
    );
    const runtime = await startRuntime({ ready: "ready", proof: "ready" });
    const agent = node.startAgent({ kubeconfig, args: [`--cri-socket=${runtime.socket}`] });
    await untilFreed(node, "removed");
    await looks(agent, 3);
    expect(node.holders()).toEqual(["proof", "ready"]);
  });
});

/** Nothing is mounted in /run/netns for whom this starts. */
const hide = ["sh", "-c", 'mount -t tmpfs none /run/netns && exec "$@"', "sh"];
