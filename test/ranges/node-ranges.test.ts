import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Log } from "../../src/host/log.ts";
import { bootID, machineIDs, uptime } from "../../src/host/machine.ts";
import { fileName, type LastAnswer, readLastAnswer, writeLastAnswer } from "../../src/ranges/last-answer.ts";
import { findRanges, lastKnownRanges } from "../../src/ranges/node-ranges.ts";
import { annotation, podCIDRs } from "../../src/ranges/source.ts";
import type { Step, Wanted } from "../../src/ranges/wanted.ts";
import { testFolder } from "../host/folder.ts";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";

const key = "example.com/net1";
const ranges = (...subnets: string[]) => ({ ranges: subnets.map((subnet) => [{ subnet }]) });

describe("the way to a network's ranges", () => {
  let server: EmbeddedApiServer;
  let kubeconfigText: string;
  let lines: [level: string, message: string, fields: Record<string, unknown>][];

  beforeAll(async () => {
    server = await startEmbeddedApiServer();
    await server.createNode({
      name: "node-a",
      machineID: machineIDs()[0] ?? "",
      podCIDRs: ["10.1.2.0/24"],
      annotations: { [key]: "10.2.0.0/24" },
    });
    kubeconfigText = await server.kubeconfigFor({ kind: "kubelet", node: "node-a" });
  });
  beforeEach(async () => {
    await server.fault(null);
    await server.setAnnotation("node-a", key, "10.2.0.0/24");
    server.requests.length = 0;
    lines = [];
  });
  afterAll(() => server.close());

  function wanted(changes: Partial<Wanted> = {}): Wanted {
    const folder = testFolder();
    const kubeconfig = join(folder, "kubeconfig");
    writeFileSync(kubeconfig, kubeconfigText, { mode: 0o600 });
    const note = (level: string) => (message: string, fields: Record<string, unknown>) =>
      void lines.push([level, message, fields]);
    const log = Object.fromEntries(
      ["trace", "debug", "info", "warn", "error"].map((name) => [name, note(name)]),
    );
    return {
      network: "net1",
      source: annotation(key),
      cacheTTL: 0,
      kubeconfig,
      env: {},
      stateFolder: join(folder, "state"),
      patience: { long: 8, short: 1.5 },
      log: log as Log,
      ...changes,
    };
  }

  const warnings = () => lines.filter(([level]) => level === "warn");

  it("asks the API server, and keeps the answer", async () => {
    const one = wanted();
    expect(await findRanges(one)).toEqual({ ipam: ranges("10.2.0.0/24"), node: "node-a", origin: "asked" });
    expect(readdirSync(one.stateFolder)).toEqual([fileName("ranges", `annotation ${key}`)]);
    expect(lastKnownRanges(one)).toEqual(ranges("10.2.0.0/24"));
    expect(server.requests).toHaveLength(1);
  });

  it("asks for an annotation every time, and sees it change", async () => {
    const one = wanted();
    await findRanges(one);
    await server.setAnnotation("node-a", key, "10.3.0.0/24");
    expect((await findRanges(one)).ipam).toEqual(ranges("10.3.0.0/24"));
    expect(server.requests).toHaveLength(2);
  });

  it("takes an answer for fresh as long as it is told to", async () => {
    const one = wanted({ cacheTTL: 60, source: podCIDRs });
    await findRanges(one);
    expect(await findRanges(one)).toMatchObject({ origin: "fresh", ipam: ranges("10.1.2.0/24") });
    expect(server.requests).toHaveLength(1);
    expect((await findRanges({ ...one, cacheTTL: 0 })).origin).toBe("asked");
  });

  it("keeps networks' sources apart", async () => {
    const one = wanted({ cacheTTL: 60 });
    await findRanges(one);
    expect((await findRanges({ ...one, source: podCIDRs })).ipam).toEqual(ranges("10.1.2.0/24"));
    expect((await findRanges(one)).ipam).toEqual(ranges("10.2.0.0/24"));
  });

  it("has a burst of calls share requests", async () => {
    const one = wanted();
    const all = await Promise.all(Array.from({ length: 40 }, () => findRanges(one)));
    expect(new Set(all.map(({ ipam }) => JSON.stringify(ipam)))).toEqual(
      new Set([JSON.stringify(ranges("10.2.0.0/24"))]),
    );
    expect(server.requests.length).toBeLessThanOrEqual(5);
  });

  describe("where somebody has just asked", () => {
    /** Seconds between that and the next request; of a noisy machine's five attempts the shortest. */
    async function secondsApart(
      asker: number,
      age = 0,
      boot = bootID(),
      patience = wanted().patience,
    ): Promise<number> {
      const all: number[] = [];
      for (let attempt = 0; attempt < 5; attempt++) {
        const one = wanted({ patience });
        await findRanges(one);
        const answer = kept(one);
        const asked = { ...answer, asker, at: uptime() - age };
        writeLastAnswer(one.stateFolder, { ...asked, bootID: boot });
        await findRanges(one);
        all.push(kept(one).at - asked.at);
      }
      return Math.min(...all);
    }
    const kept = ({ stateFolder }: Wanted) =>
      readLastAnswer(stateFolder, `annotation ${key}`, machineIDs()) as LastAnswer;
    const gone = 2 ** 22; // Above what a process can have.

    it("and is still at work, the next request waits for others to share it", async () => {
      expect(await secondsApart(process.pid)).toBeGreaterThan(0.085);
      expect(await secondsApart(process.pid, 0.05)).toBeGreaterThan(0.085);
    });

    it.each([
      ["but has ended", gone],
      ["in another life of the machine", process.pid, 0, "another boot"],
      ["in a time that is still to come: the machine was set back", process.pid, -5],
      ["but there is little time", process.pid, 0, bootID(), { long: 1, short: 0.2 }],
    ])("%s, it asks at once, or nearly so", async (_, ...how: Parameters<typeof secondsApart>) => {
      expect(await secondsApart(...how)).toBeLessThan(0.085);
    });

    it("who comes while it waits shares that request", async () => {
      const one = wanted();
      await findRanges(one);
      await server.setAnnotation("node-a", key, "10.3.0.0/24");
      const requests: number[] = [];
      for (let attempt = 0; attempt < 5; attempt++) {
        writeLastAnswer(one.stateFolder, { ...kept(one), asker: process.pid, at: uptime() });
        const before = server.requests.length;
        const first = findRanges(one);
        await pause(20);
        const all = await Promise.all([first, ...Array.from({ length: 10 }, () => findRanges(one))]);
        expect(new Set(all.map(({ ipam }) => JSON.stringify(ipam)))).toEqual(
          new Set([JSON.stringify(ranges("10.3.0.0/24"))]),
        );
        requests.push(server.requests.length - before);
      }
      expect(Math.min(...requests)).toBe(1); // More where the machine stood still in between.
    });
  });

  it("has a burst of calls share a failure", async () => {
    await server.fault("status500");
    const one = wanted({ patience: { long: 2, short: 0.5 } });
    await findRanges(one).catch(() => {});
    const alone = server.requests.length;
    server.requests.length = 0;
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => findRanges(one)));
    expect(all.every(({ status }) => status === "rejected")).toBe(true);
    expect(server.requests.length).toBeLessThanOrEqual(4 * alone);
  });

  describe("without an answer", () => {
    it("goes on with what was last known, and warns", async () => {
      const one = wanted();
      await findRanges(one);
      await server.fault("status503");
      expect(await findRanges(one)).toEqual({
        ipam: ranges("10.2.0.0/24"),
        node: "node-a",
        origin: "last-known",
      });
      expect(warnings()).toEqual([
        [
          "warn",
          "API server not available, going on with last-known ranges",
          { reason: expect.stringContaining("failed (503)"), since: expect.stringMatching(/^\d{4}-/) },
        ],
      ]);
    });

    it("goes on with the original's cache until the API server has answered once", async () => {
      const one = wanted({ source: podCIDRs });
      const dataDir = testFolder();
      const cache = { type: "host-local", ...ranges("10.9.0.0/24", "fd09::/64") };
      writeFileSync(join(dataDir, "kube-node.json"), JSON.stringify(cache));
      const legacy = { ...one, legacy: { dataDir } };
      await server.fault("hangUp");
      expect(await findRanges(legacy)).toMatchObject({
        ipam: ranges("10.9.0.0/24", "fd09::/64"),
        origin: "legacy",
      });
      expect(lastKnownRanges(legacy)).toEqual(ranges("10.9.0.0/24", "fd09::/64"));
      expect(warnings()).toHaveLength(1);
      await server.fault(null);
      expect(await findRanges(legacy)).toMatchObject({ ipam: ranges("10.1.2.0/24"), origin: "asked" });
      await server.fault("hangUp");
      expect(await findRanges(legacy)).toMatchObject({ ipam: ranges("10.1.2.0/24"), origin: "last-known" });
    });

    it("says that nothing is known, where nothing is", async () => {
      await server.fault("status403");
      const error = await findRanges(wanted()).catch((reason: unknown) => reason);
      expect(error).toMatchObject({
        code: 11,
        message: "the Node's address ranges are not known",
        details: expect.stringContaining("forbids it (403)"),
      });
    });

    it("asks again while there is time, where nothing else is known", async () => {
      const one = wanted();
      await server.fault("status503");
      setTimeout(() => void server.fault(null), 500);
      expect((await findRanges(one)).origin).toBe("asked");
      expect(server.requests.length).toBeGreaterThan(1);
    });

    it("says what the API server said, where asking again had hardly any time", async () => {
      await server.fault("status500");
      const asking = findRanges(wanted({ patience: { long: 0.45, short: 0.1 } })).catch(
        (error: unknown) => error,
      );
      await expect.poll(() => server.requests.length, { interval: 5 }).toBeGreaterThan(0);
      await server.fault("silent");
      expect(await asking).toMatchObject({ details: expect.stringContaining("failed (500)") });
    });

    it("has a kubeconfig's fault told by its own code", async () => {
      const one = wanted({ kubeconfig: "/absent/kubeconfig" });
      await expect(findRanges(one)).rejects.toMatchObject({
        code: 7,
        details: expect.stringContaining("/absent/kubeconfig"),
      });
    });
  });

  describe("an answer is an answer", () => {
    it("where the Node is gone, though ranges were known", async () => {
      const kubeconfig = join(testFolder(), "admin");
      writeFileSync(kubeconfig, await server.kubeconfigFor({ kind: "admin" }), { mode: 0o600 });
      await server.createNode({ name: "short-lived", podCIDRs: ["10.7.0.0/24"] });
      const one = wanted({ nodeName: "short-lived", kubeconfig, source: podCIDRs });
      expect((await findRanges(one)).ipam).toEqual(ranges("10.7.0.0/24"));
      await server.deleteNode("short-lived");
      await expect(findRanges(one)).rejects.toMatchObject({
        code: 102,
        message: "the API server has no such Node",
        details: expect.stringContaining("kubectl get nodes"),
      });
    });

    it("where the annotation was taken away", async () => {
      const one = wanted();
      await findRanges(one);
      await server.setAnnotation("node-a", key, null);
      await expect(findRanges(one)).rejects.toMatchObject({ code: 103 });
      expect(lastKnownRanges(one)).toBeUndefined();
      await server.fault("status500");
      await expect(findRanges(one)).rejects.toMatchObject({ code: 103 });
    });

    it("where the annotation can't be read", async () => {
      const one = wanted();
      await server.setAnnotation("node-a", key, "fish");
      await expect(findRanges(one)).rejects.toMatchObject({ code: 103 });
      expect(lastKnownRanges(one)).toBeUndefined();
    });
  });

  it("another Node's name makes what is known another's", async () => {
    const one = wanted({ cacheTTL: 60, nodeName: "node-a" });
    await findRanges(one);
    expect(lastKnownRanges(one)).toBeDefined();
    expect(lastKnownRanges({ ...one, nodeName: "node-b" })).toBeUndefined();
    const { nodeName: _, ...unnamed } = one;
    expect(lastKnownRanges({ ...unnamed, env: { NODE_NAME: "node-b" } })).toBeUndefined();
  });

  it("an answer that can't be kept is an answer all the same", async () => {
    const one = wanted({ stateFolder: "/sys/kernel/kube-node" });
    expect((await findRanges(one)).ipam).toEqual(ranges("10.2.0.0/24"));
    expect(warnings()[0]?.[1]).toBe("the API server's answer could not be kept");
  });

  it("keeps nothing of a call that only tries things out, and reads what others keep", async () => {
    const one = wanted({ keepsNothing: true });
    expect((await findRanges(one)).origin).toBe("asked");
    expect(existsSync(one.stateFolder)).toBe(false);
    await findRanges({ ...one, keepsNothing: false });
    const before = readdirSync(one.stateFolder);
    await server.fault("status503");
    expect((await findRanges(one)).origin).toBe("last-known");
    expect(readdirSync(one.stateFolder)).toEqual(before);
  });

  describe("tells of each source that it looks at", () => {
    async function steps(changes: Partial<Wanted>): Promise<Step[]> {
      const told: Step[] = [];
      await findRanges(wanted({ ...changes, tell: (step) => told.push(step) })).catch(() => {});
      return told;
    }
    const noAgent = { origin: "agent", taken: false, why: "no agent runs here" };
    const noneKept = { origin: "fresh", taken: false, why: "none is kept" };
    const noLegacy = { origin: "legacy", taken: false, why: "the original kept none for this plugin" };

    it("up to the one that it takes", async () => {
      const { stateFolder } = wanted({});
      const asked = [noAgent, noneKept, noLegacy, { origin: "asked", taken: true }];
      expect(await steps({ stateFolder, cacheTTL: 60 })).toEqual(asked);
      const age = expect.any(Number);
      expect(await steps({ stateFolder, cacheTTL: 60 })).toEqual([
        noAgent,
        { origin: "fresh", taken: true, age },
      ]);
      const why = "it is fresh for 0 s only (ipam.cacheTTL)";
      const stale = { origin: "fresh", taken: false, why, age };
      expect(await steps({ stateFolder })).toEqual([noAgent, stale, { origin: "asked", taken: true }]);
      await server.fault("status503");
      expect(await steps({ stateFolder })).toEqual([
        noAgent,
        stale,
        { origin: "asked", taken: false, why: expect.stringContaining("503") },
        { origin: "last-known", taken: true, age },
      ]);
      const other = { origin: "fresh", taken: false, why: "what is kept is of Node node-a, not node-b" };
      expect(await steps({ stateFolder, nodeName: "node-b" })).toContainEqual(other);
    });

    it("all of them, where nothing is known", async () => {
      await server.fault("status503");
      expect(await steps({ patience: { long: 0.5, short: 0.5 } })).toEqual([
        noAgent,
        noneKept,
        noLegacy,
        { origin: "asked", taken: false, why: expect.stringContaining("503") },
        { origin: "last-known", taken: false, why: "none is kept that could be used" },
      ]);
    });

    it("the taken one, even where what it says can't be read", async () => {
      await server.setAnnotation("node-a", key, "fish");
      expect((await steps({})).at(-1)).toEqual({ origin: "asked", taken: true });
    });
  });

  it("never keeps a half-written answer", async () => {
    const one = wanted();
    await Promise.all(Array.from({ length: 10 }, () => findRanges(one)));
    for (const name of readdirSync(one.stateFolder))
      expect(() => JSON.parse(readFileSync(join(one.stateFolder, name), "utf8"))).not.toThrow();
  });
});
