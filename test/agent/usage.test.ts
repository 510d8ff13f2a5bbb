// What is used is shown for every network that there is, and what is wrong with ranges is told by few events on the Node.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { createNetwork, defineNetworks } from "../parts/cluster-objects.ts";
import { annotationOf } from "../real/parts/pooled-worker.ts";
import type { Agent } from "./parts/agent.ts";
import { makeLeakyNode, metric } from "./parts/leaky-node.ts";
import { lack, useServer } from "./parts/own-server.ts";

vi.setConfig({ testTimeout: 90_000 }); // Each look of the agent takes a second, and the machine may have other work.

const own = useServer(defineNetworks);

/** What /metrics says, once `isSo` likes it. */
async function shown(agent: Agent, isSo: (text: string) => boolean): Promise<string> {
  let text = "";
  for (const end = Date.now() + 30_000; Date.now() < end; await pause(100)) {
    text = (await agent.get("/metrics")).text;
    if (isSo(text)) return text;
  }
  throw new Error(
    `/metrics never says it; it says:\n${text}\nand the log:\n${agent
      .lines()
      .map((line) => JSON.stringify(line))
      .join("\n")}`,
  );
}

type NodeEvent = {
  reason: string;
  note: string;
  regarding: { name: string };
  series?: { count: number };
};
const eventsOf = async (node: string) =>
  (
    await own.client.list("/apis/events.k8s.io/v1/namespaces/default/events", (item) => item as NodeEvent)
  ).filter(({ regarding }) => regarding.name === node);

describe.skipIf(lack.some)(`what is used${lack.words}`, () => {
  it("is shown for networks of configurations, of definitions and of records, by range and state", async () => {
    const node = await makeLeakyNode(own.server, own.client, {
      podCIDRs: ["10.1.0.0/24", "fd00:1::/64"],
      annotations: { "example.com/blue": "10.9.0.10-10.9.0.19/24", "example.com/nad": "10.8.0.0/29" },
    });
    const ipam = { type: "kube-node", dataDir: node.dataDir };
    const plugins = (keys: object) => [{ type: "bridge", ipam: { ...ipam, ...keys } }, { type: "portmap" }];
    const conf = (name: string, document: object) =>
      writeFileSync(join(node.host.conf, name), JSON.stringify(document));
    conf("10-net1.conflist", { cniVersion: "1.0.0", name: "net1", plugins: plugins({}) });
    conf("20-blue.conflist", {
      cniVersion: "1.0.0",
      name: "blue",
      plugins: plugins({ annotation: "example.com/blue" }),
    });
    conf("30-flannel.conflist", { cniVersion: "1.0.0", name: "other", plugins: [{ type: "flannel" }] });
    writeFileSync(join(node.host.conf, "40-broken.conf"), "{");
    await createNetwork(own.client, "default/red", {
      cniVersion: "1.0.0",
      type: "macvlan",
      ipam: { ...ipam, annotation: "example.com/nad" },
    });
    await createNetwork(own.client, "default/nowhere", {
      cniVersion: "1.0.0",
      type: "macvlan",
      ipam: { ...ipam, annotation: "example.com/none" },
    });
    for (const id of ["a", "b", "c"]) await node.attach(id);
    await node.attach("a", { network: "blue", ipam: { annotation: "example.com/blue" } });
    await node.attach("b", { network: "forgotten" });
    const agent = node.startAgent();
    const text = await shown(
      agent,
      (now) =>
        metric(now, "kube_node_addresses", { network: "red" }) !== undefined &&
        metric(now, "kube_node_api_connected") === 1,
    );
    const addresses = (labels: Record<string, string>) => metric(text, "kube_node_addresses", labels);
    const net1 = { network: "net1", source: "spec.podCIDRs", range: "10.1.0.0/24", family: "IPv4" };
    expect(["total", "used", "free"].map((state) => addresses({ ...net1, state }))).toEqual([253, 3, 250]);
    expect(addresses({ network: "net1", family: "IPv6", state: "used" })).toBe(3);
    const blue = { network: "blue", source: "annotation example.com/blue", range: "10.9.0.10-10.9.0.19/24" };
    expect(["total", "used"].map((state) => addresses({ ...blue, state }))).toEqual([10, 1]);
    expect(metric(text, "kube_node_address_utilization_ratio", { network: "blue" })).toBeCloseTo(0.1);
    expect(addresses({ network: "red", range: "10.8.0.0/29", state: "free" })).toBe(5);
    expect(addresses({ network: "forgotten", source: "records", state: "used", family: "IPv4" })).toBe(1);
    expect(addresses({ network: "nowhere" })).toBeUndefined();
    expect(addresses({ network: "other" })).toBeUndefined();
    expect(metric(text, "kube_node_ranges_info", { network: "net1", from: "node" })).toBe(1);
    expect(metric(text, "kube_node_ranges_age_seconds", { network: "net1" })).toBeLessThan(15);
    expect(metric(text, "kube_node_build_info")).toBe(1);
    expect(
      agent.lines().filter(({ reason }) => reason?.includes("40-broken.conf")).length,
    ).toBeLessThanOrEqual(2);
    expect(await agent.stop()).toBe(0);
  });

  it("is shown for networks of pools, by the pool and the range that pods know", async () => {
    const node = await makeLeakyNode(own.server, own.client);
    const uid = (await own.server.getNode(node.name))?.metadata.uid ?? "";
    const block = {
      subnet: "10.7.0.0/24",
      ranges: ["10.7.0.1-10.7.0.1", "10.7.0.8-10.7.0.9"],
      gateway: "10.7.0.9",
    };
    await own.server.setAnnotation(node.name, ...annotationOf({ name: "blue", blocks: [block] }, uid));
    const ipam = { type: "kube-node", dataDir: node.dataDir };
    await createNetwork(own.client, "default/storage", {
      cniVersion: "1.0.0",
      type: "macvlan",
      ipam: { ...ipam, poolName: "blue" },
    });
    await createNetwork(own.client, "default/other", {
      cniVersion: "1.0.0",
      type: "macvlan",
      ipam: { ...ipam, pool: "nowhere" },
    });
    const agent = node.startAgent();
    const labels = {
      network: "storage",
      source: "IPPool blue",
      range: "10.7.0.1-10.7.0.9/24",
      family: "IPv4",
    };
    const total = (text: string) => metric(text, "kube_node_addresses", { ...labels, state: "total" });
    const text = await shown(agent, (now) => total(now) !== undefined);
    expect([
      total(text),
      metric(text, "kube_node_ranges_info", { network: "storage", source: "IPPool blue" }),
    ]).toEqual([2, 1]);
    expect(metric(text, "kube_node_ranges_info", { network: "other" })).toBeUndefined();
  });

  it("is told of by one event each where ranges are malformed, nearly full, full", async () => {
    const node = await makeLeakyNode(own.server, own.client, {
      podCIDRs: ["10.1.0.0/29"],
      annotations: { "example.com/bad": "10.9.0.0/33", "example.com/near": "10.7.0.10-10.7.0.19/24" },
    });
    const conf = (network: string, keys: object) =>
      writeFileSync(
        join(node.host.conf, `${network}.conf`),
        JSON.stringify({
          cniVersion: "1.0.0",
          name: network,
          type: "bridge",
          ipam: { type: "kube-node", dataDir: node.dataDir, ...keys },
        }),
      );
    conf("net1", {});
    conf("bad", { annotation: "example.com/bad" });
    const near = { annotation: "example.com/near" };
    conf("near", near);
    for (const id of ["a", "b", "c", "d", "e"]) await node.attach(id);
    for (const id of ["a", "b", "c", "d", "e", "f", "g", "h", "i"])
      await node.attach(id, { network: "near", ipam: near });
    const agent = node.startAgent();
    await agent.said("a range is full");
    await shown(agent, (now) => metric(now, "kube_node_events_total", { result: "sent" }) === 3);
    const events = await eventsOf(node.name);
    expect(events.map(({ reason }) => reason).sort()).toEqual([
      "RangeFull",
      "RangeNearlyFull",
      "RangesMalformed",
    ]);
    expect(events.find(({ reason }) => reason === "RangeNearlyFull")?.note).toContain("9 of 10 addresses");
    expect(events.find(({ reason }) => reason === "RangesMalformed")?.note).toContain("10.9.0.0/33");
    expect(events.find(({ reason }) => reason === "RangeFull")?.note).toContain(
      "5 of 5 addresses of 10.1.0.0/29",
    );
    // The Node changes often; what is so already isn't told again.
    for (let i = 0; i < 5; i++) {
      await own.server.setAnnotation(node.name, "noise", String(i));
      await pause(200);
    }
    await own.server.setAnnotation(node.name, "example.com/bad", "10.9.0.0/24");
    await shown(
      agent,
      (now) => metric(now, "kube_node_addresses", { network: "bad", state: "total" }) === 253,
    );
    expect(await eventsOf(node.name)).toHaveLength(3);
    // And each is one line of the log, which says what the event says.
    const told = ["a range is full", "a range is nearly full", "ranges on the Node are malformed"];
    for (const [i, msg] of told.entries()) {
      const lines = agent.lines().filter((line) => line.msg === msg);
      expect(lines, msg).toHaveLength(1);
      const reason = ["RangeFull", "RangeNearlyFull", "RangesMalformed"][i];
      const { note } = events.find((event) => event.reason === reason) as NodeEvent;
      expect(lines[0]).toMatchObject({ level: 40, node: node.name, note });
    }
    const line = { level: expect.any(Number), time: expect.any(Number), pid: agent.pid, node: node.name };
    for (const one of agent.lines()) expect(one).toMatchObject({ ...line, msg: expect.stringMatching(/./) });
  });

  it("counts what the plugin notes of its calls, and no more than that", async () => {
    const node = await makeLeakyNode(own.server, own.client);
    mkdirSync(node.host.run, { recursive: true });
    const agent = node.startAgent();
    const notes = join(node.host.run, "calls");
    await shown(agent, (now) => metric(now, "kube_node_build_info") === 1);
    writeFileSync(notes, "ADD ok 12.3\nADD 7 1500.0\nnonsense\nDEL ok 9.0\nADD ok 4\n", { flag: "a" });
    const text = await shown(agent, (now) => metric(now, "kube_node_plugin_call_seconds_count") === 4);
    expect(metric(text, "kube_node_plugin_call_seconds_count", { verb: "ADD", result: "ok" })).toBe(2);
    expect(metric(text, "kube_node_plugin_call_seconds_sum", { verb: "ADD", result: "7" })).toBeCloseTo(1.5);
    expect(metric(text, "kube_node_plugin_call_seconds_bucket", { verb: "DEL", le: "0.01" })).toBe(1);
    await node.callBesideAgent("real");
    const after = await shown(agent, (now) => metric(now, "kube_node_plugin_call_seconds_count") === 6);
    expect(metric(after, "kube_node_plugin_call_seconds_count", { verb: "ADD", result: "ok" })).toBe(3);
    expect(metric(after, "kube_node_plugin_call_seconds_count", { verb: "DEL", result: "ok" })).toBe(2);
  });
});
