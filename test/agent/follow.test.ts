// The agent follows its own Node, on a real API server: what it tells the plugin, how soon, and when it stops.
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { longestSilence } from "../../src/ranges/agent-file.ts";
import type { ApiServer } from "../parts/api-server.ts";
import { executables } from "../parts/plugin.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Host, makeHost, signOfLife, startAgent, toldNode, until, uptime } from "./parts/agent.ts";
import { metric } from "./parts/leaky-node.ts";
import { startRelay } from "./parts/relay.ts";

const noServer = reasonForNoRealApiServer();
const lack = whatLacks(noServer === undefined ? {} : { missing: noServer });
const machineID = readFileSync("/etc/machine-id", "utf8").trim();

let server: ApiServer;
let folder: string;
let count = 0;
beforeAll(async () => {
  if (lack.some) return;
  folder = mkdtempSync(join(tmpdir(), "follow-"));
  server = await startRealApiServer();
}, 90_000);
afterAll(async () => {
  await server?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** A Node of its own for a test, and a kubeconfig of its kubelet. */
async function makeNode(options: { url?: string; machineID?: string } = {}) {
  const name = `node-${++count}`;
  await server.createNode({
    name,
    podCIDRs: ["10.1.0.0/24"],
    annotations: { a: "0" },
    machineID: options.machineID ?? machineID,
  });
  const kubeconfig = join(folder, `${name}.kubeconfig`);
  writeFileSync(
    kubeconfig,
    await server.kubeconfigFor({ kind: "kubelet", node: name }, options.url ? { url: options.url } : {}),
    { mode: 0o600 },
  );
  return { node: name, kubeconfig };
}

const told = (host: Host, key: string, value: string) =>
  until(() => toldNode(host)?.annotations[key] === value, `node.json has ${key}=${value}`);
const alive = (host: Host) => until(() => signOfLife(host), "there is a sign of life");

describe.skipIf(lack.some)(`the own Node${lack.words}`, () => {
  it.each(executables().map(({ label }, index) => [label, index] as const))(
    "is told to the plugin, and every change of it at once (%s)",
    async (label, executable) => {
      const host = makeHost();
      const { node, kubeconfig } = await makeNode();
      const agent = startAgent({ host, node, kubeconfig, executable });
      await told(host, "a", "0");
      const sign = await alive(host);
      expect(sign.bootID).toBe(readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
      expect(uptime() - sign.heardAt).toBeLessThan(5);
      expect(toldNode(host)).toEqual({
        name: node,
        uid: expect.any(String),
        machineID,
        podCIDRs: ["10.1.0.0/24"],
        annotations: { a: "0" },
      });
      for (const file of ["node.json", "alive"])
        expect(statSync(join(host.run, file)).mode & 0o777).toBe(0o600);

      const took: number[] = [];
      for (let i = 1; i <= 20; i++) {
        const before = performance.now();
        await server.setAnnotation(node, "a", String(i));
        await told(host, "a", String(i));
        took.push(performance.now() - before);
      }
      const middle = took.toSorted((one, other) => one - other)[10] as number;
      console.log(
        `annotation change to node.json, the PATCH included, ${label}: p50 ${middle.toFixed(1)} ms of ${took.length}`,
      );
      expect(middle).toBeLessThan(2000);
      expect((await agent.get("/readyz")).text).toContain("[+] follow: the plugin is told of the Node");
      expect((await agent.get("/healthz")).status).toBe(200);

      const { ino } = statSync(join(host.run, "node.json"));
      const heard = signOfLife(host)?.heardAt ?? 0;
      await until(() => (signOfLife(host)?.heardAt ?? 0) > heard, "it is heard again");
      expect(statSync(join(host.run, "node.json")).ino).toBe(ino);

      expect(await agent.stop()).toBe(0);
      expect(signOfLife(host)).toBeUndefined();
      expect(toldNode(host)?.annotations["a"]).toBe("20");
    },
  );
});

/** The relay's port of this server, and a kubeconfig that goes through it. */
async function throughRelay() {
  const relay = await startRelay(Number(new URL(server.url).port));
  return { relay, ...(await makeNode({ url: `https://127.0.0.1:${relay.port}` })) };
}

/** The latest that the plugin trusts the agent, in seconds after `since` (uptime): 15 after it was heard last. Looks for two beats more. */
async function trustAfter(host: Host, since: number): Promise<number> {
  while (uptime() < since + 9) await sleep(100);
  return (signOfLife(host)?.heardAt ?? Number.NEGATIVE_INFINITY) + longestSilence - since;
}

describe.skipIf(lack.some)(`what is told ends within 15 s${lack.words}`, () => {
  it("of a connection on which nothing passes any more, and begins again with the next one", async () => {
    const host = makeHost();
    const { relay, ...own } = await throughRelay();
    const agent = startAgent({ host, ...own });
    await alive(host);
    relay.swallow();
    const since = uptime();
    await server.setAnnotation(own.node, "a", "1");
    expect(await trustAfter(host, since)).toBeLessThanOrEqual(longestSilence);
    expect(toldNode(host)?.annotations["a"]).toBe("0");
    await agent.said("has not been heard for");
    expect((await agent.get("/readyz")).status).toBe(503);
    expect((await agent.get("/healthz")).status).toBe(200);
    relay.pass();
    await told(host, "a", "1");
    await until(() => uptime() - (signOfLife(host)?.heardAt ?? 0) < 5, "it is heard again", 45_000);
  }, 90_000);

  it("of the agent's SIGSTOP, and goes on after SIGCONT", async () => {
    const host = makeHost();
    const own = await makeNode();
    const agent = startAgent({ host, ...own });
    await alive(host);
    agent.kill("SIGSTOP");
    const since = uptime();
    await server.setAnnotation(own.node, "a", "1");
    expect(await trustAfter(host, since)).toBeLessThanOrEqual(longestSilence);
    agent.kill("SIGCONT");
    await told(host, "a", "1");
    await until(() => uptime() - (signOfLife(host)?.heardAt ?? 0) < 5, "it is heard again", 45_000);
  }, 90_000);

  it("of its kill -9; the next one begins at once", async () => {
    const host = makeHost();
    const own = await makeNode();
    const agent = startAgent({ host, ...own });
    await alive(host);
    agent.kill("SIGKILL");
    const since = uptime();
    await agent.exited;
    await server.setAnnotation(own.node, "a", "1");
    expect(await trustAfter(host, since)).toBeLessThanOrEqual(longestSilence);
    expect(toldNode(host)?.annotations["a"]).toBe("0");
    const before = performance.now();
    startAgent({ host, ...own });
    await told(host, "a", "1");
    expect(performance.now() - before).toBeLessThan(10_000);
  }, 90_000);
});

describe.skipIf(lack.some)(`trouble${lack.words}`, () => {
  it("with no API server at start: the last Node stays, its sign of life is not renewed", async () => {
    const host = makeHost();
    const { relay, ...own } = await throughRelay();
    const first = startAgent({ host, ...own });
    const sign = await alive(host);
    first.kill("SIGKILL");
    await first.exited;
    relay.swallow();
    const agent = startAgent({ host, ...own });
    await agent.said("the API server is not heard");
    expect(toldNode(host)?.annotations).toEqual({ a: "0" });
    expect(signOfLife(host)?.heardAt).toBeLessThanOrEqual(sign.heardAt + 4);
    expect((await agent.get("/readyz")).text).toContain(
      "[-] follow: the API server was not heard yet; the plugin asks itself",
    );
    const shown = async (name: string, labels = {}) =>
      metric((await agent.get("/metrics")).text, name, labels);
    expect(await shown("kube_node_api_errors_total", { verb: "WATCH" })).toBeGreaterThan(0);
    while (uptime() <= sign.heardAt + 4 + longestSilence) await sleep(100);
    expect(await shown("kube_node_api_connected")).toBe(0);
    relay.pass();
    await until(() => (signOfLife(host)?.heardAt ?? 0) > sign.heardAt + 4, "it is heard", 30_000);
    expect(await shown("kube_node_api_connected")).toBe(1);
  }, 60_000);

  it("of a Node that is deleted and made again: the plugin asks itself, then is told of the new one", async () => {
    const host = makeHost();
    const own = await makeNode();
    const agent = startAgent({ host, ...own });
    await alive(host);
    const before = toldNode(host)?.uid;
    await server.deleteNode(own.node);
    await until(() => toldNode(host) === undefined && signOfLife(host) === undefined, "nothing is told");
    await agent.said(`there is no Node ${own.node}`);
    const { metadata } = await server.createNode({ name: own.node, podCIDRs: ["10.2.0.0/24"], machineID });
    await until(() => toldNode(host)?.uid === metadata.uid, "the new Node is told");
    expect(metadata.uid).not.toBe(before);
    expect(toldNode(host)?.podCIDRs).toEqual(["10.2.0.0/24"]);
    await alive(host);
  });

  it("of a Node of another machine: it is not told, and the log says so", async () => {
    const host = makeHost({ machineID: "0123456789abcdef0123456789abcdef" });
    const own = await makeNode();
    const agent = startAgent({ host, ...own });
    const { reason } = await agent.said("is not told to the plugin");
    expect(reason).toBe(
      `Node ${own.node} has the machine-id ${machineID}, but this machine's is 0123456789abcdef0123456789abcdef: is --node-name this machine's Node?`,
    );
    await agent.said("the API server is heard");
    expect([toldNode(host), signOfLife(host)]).toEqual([undefined, undefined]);
    expect((await agent.get("/readyz")).status).toBe(503);
  });

  it("of a server that is restarted, and of credentials that are replaced meanwhile", async () => {
    const host = makeHost();
    const own = await makeNode();
    const agent = startAgent({ host, ...own });
    await alive(host);
    await server.stop();
    await agent.said("the API server is not heard");
    const sign = signOfLife(host)?.heardAt ?? 0;
    writeFileSync(own.kubeconfig, await server.kubeconfigFor({ kind: "kubelet", node: own.node }), {
      mode: 0o600,
    });
    await server.start();
    await until(() => (signOfLife(host)?.heardAt ?? 0) > sign + 1, "it is heard again", 60_000);
    await server.setAnnotation(own.node, "a", "1");
    await told(host, "a", "1");
  }, 120_000);

  it("of a place that can't be written: it is said once, and the plugin told as soon as it can", async () => {
    const host = makeHost();
    const own = await makeNode();
    const agent = startAgent({ host, ...own });
    await alive(host);
    // Not its whole folder: the lock lies in it, and an agent that misses that gives up.
    const file = join(host.run, "node.json");
    rmSync(file);
    mkdirSync(file);
    await server.setAnnotation(own.node, "a", "1");
    await agent.said("the plugin can't be told of the Node");
    expect(agent.lines().filter(({ msg }) => msg.startsWith("the plugin can't be told"))).toHaveLength(1);
    rmdirSync(file);
    await told(host, "a", "1");
  });
});
