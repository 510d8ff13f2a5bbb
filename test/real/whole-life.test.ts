// A block's whole life by the built executables: controller, agent and plugin on the real API server, nobody's clock touched. SOAK=1: a drain
// waits for the longest call, four minutes.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { longestCall } from "../../src/request/budget.ts";
import { makeHost, startAgent } from "../agent/parts/agent.ts";
import { type Controller, startController } from "../controller/parts/controller.ts";
import { type PoolCluster, startPoolCluster, until } from "../controller/parts/pool-cluster.ts";
import { soak } from "../faults/parts/effort.ts";
import { callPlugin, executables } from "../parts/plugin.ts";
import { poolPath } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { hostLocals, whatLacks } from "../parts/tools.ts";
import { addressesIn, expectSilence, readFailure } from "./parts/answers.ts";
import { privateMounts, withMounts } from "./parts/private-mounts.ts";

const missing = reasonForNoRealApiServer();
const lack = whatLacks(
  missing ? { missing } : {},
  privateMounts(),
  hostLocals().length === 0 ? { missing: "host-local" } : {},
  soak ? {} : { missing: "SOAK=1: it takes eight minutes" },
);
const minutes = 60_000;

describe.skipIf(lack.some)(`a block's whole life${lack.words}`, () => {
  let cluster: PoolCluster;
  let controller: Controller;

  beforeAll(async () => {
    cluster = await startPoolCluster();
    controller = startController({ kubeconfig: cluster.kubeconfig });
  }, 90_000);
  afterAll(async () => {
    controller?.kill("SIGKILL");
    await cluster?.close();
  });

  const selecting = (label: string) => ({
    nodeSelector: { nodeSelectorTerms: [{ matchExpressions: [{ key: label, operator: "Exists" }] }] },
  });

  /** A Node with the labels, and its machine: an agent, and the plugin as a runtime calls it. */
  async function makeMachine(node: string, ...labels: string[]) {
    const host = makeHost();
    const cni = host.path("cni");
    mkdirSync(cni);
    symlinkSync(hostLocals()[0]?.path ?? "", join(host.bin, "host-local"));
    const kubeconfig = host.path("kubeconfig");
    writeFileSync(kubeconfig, readFileSync(cluster.kubeconfig), { mode: 0o600 });
    const machineID = readFileSync("/etc/machine-id", "utf8").trim();
    await cluster.api.createNode({
      ...{ name: node, machineID, podCIDRs: [] },
      labels: Object.fromEntries(labels.map((label) => [label, ""])),
    });
    const mounts = { "/var/lib/cni": cni, "/run": host.path("run") };
    const call = (verb: string, pool: string, id: string) =>
      callPlugin({
        command: withMounts(mounts, executables()[0]?.command("kube-node") ?? []),
        ...{ verb, containerID: id, ifname: "eth0", netns: "/var/run/netns/none" },
        path: hostLocals()[0]?.folder ?? "",
        stdin: {
          ...{ cniVersion: "1.0.0", name: pool, type: "bridge" },
          ipam: { type: "kube-node", kubeconfig, nodeName: node, pool },
        },
      });
    const agent = startAgent({
      ...{ host, node, kubeconfig, args: ["--credentials=none"] },
      wrap: (command) => withMounts({ "/var/lib/cni": cni }, command),
    });
    await agent.said("serving health");
    return { agent, call };
  }

  it(
    "given, closing, kept while a pod has an address of it, drained, free, given to another node; a deleted pool goes",
    async () => {
      const subnet = { subnet: "10.1.0.0/28", perNodeBlockSize: 14 };
      await cluster.createPool("IPPool", "one", { ...subnet, ...selecting("one") });
      await cluster.createPool("IPPool", "ends", { ...subnet, subnet: "10.2.0.0/28", ...selecting("ends") });
      const first = await makeMachine("first", "one", "ends");
      const second = await makeMachine("second");
      const shown = async (node: string, pool: string) =>
        ((await cluster.annotation(node, pool))?.blocks ?? []).map(({ name, closing }) =>
          closing ? `${name} closing` : name,
        );
      const shows = (node: string, pool: string, words: string[], within: number) =>
        until(
          async () => (await shown(node, pool)).join() === words.join(),
          `${node} shows ${words.join() || "nothing"} of ${pool}`,
          within,
        );
      await shows("first", "one", ["ippool.one.0"], 20_000);
      await shows("first", "ends", ["ippool.ends.0"], 20_000);
      for (const pool of ["one", "ends"])
        expect(addressesIn(await first.call("ADD", pool, "c1"))).toEqual([
          pool === "one" ? "10.1.0.1" : "10.2.0.1",
        ]);

      // Only one of them has a place for another node.
      await cluster.patchNode("second", { labels: { one: "" } });
      await until(
        async () => (await cluster.condition("IPPool", "one"))?.reason === "NoFreeRanges",
        "it is full",
      );
      await cluster.patchNode("first", { labels: { one: null } });
      await cluster.remove(poolPath("IPPool", "ends"));
      for (const pool of ["one", "ends"]) await shows("first", pool, [`ippool.${pool}.0 closing`], 20_000);
      const since = Date.now();
      const refused = async () => (await first.call("ADD", "one", "c2")).exitCode === 1;
      await until(refused, "the plugin gives nothing of what closes");
      expect(readFailure(await first.call("ADD", "one", "c2"))).toMatchObject({
        code: 103,
        msg: expect.stringContaining("gives its block of IPPool one back"),
      });
      expectSilence(await first.call("DEL", "ends", "c1"));

      await until(
        async () => !(await cluster.pool("IPPool", "ends")),
        "the deleted pool is gone",
        8 * minutes,
      );
      expect(Date.now() - since).toBeGreaterThan(longestCall * 1000);
      expect(await shown("first", "ends")).toEqual([]);
      expect(await cluster.block("ippool.ends.0")).toBeUndefined();

      // The other one's pod still has its address: silence and time free nothing.
      await sleep(70_000);
      const held = await cluster.block("ippool.one.0");
      expect(held?.spec).toMatchObject({ nodeName: "first", closing: true });
      expect(held?.status?.drained).toBeUndefined();
      expect(await shown("second", "one")).toEqual([]);
      expectSilence(await first.call("DEL", "one", "c1"));
      await shows("second", "one", ["ippool.one.0"], 3 * minutes);
      expect(await shown("first", "one")).toEqual([]);
      expect((await cluster.block("ippool.one.0"))?.spec).toMatchObject({ nodeName: "second" });
      expect(addressesIn(await second.call("ADD", "one", "c1"))).toEqual(["10.1.0.1"]);
      await until(async () => (await cluster.condition("IPPool", "one"))?.status === "True", "all have one");
      expect(controller.lines().filter(({ msg }) => msg === "block free")).toMatchObject([
        { block: "ippool.ends.0", node: "first", why: "drained" },
        { block: "ippool.one.0", node: "first", why: "drained" },
      ]);
    },
    14 * minutes,
  );
});
