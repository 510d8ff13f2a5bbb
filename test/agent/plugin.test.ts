// The plugin beside a living agent, in a network namespace whose way to the API server can be cut: the very packets are dropped.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { longestSilence } from "../../src/ranges/agent-file.ts";
import type { ApiServer } from "../parts/api-server.ts";
import { connect, inside, makeNamespace, removeNamespaces } from "../parts/namespace.ts";
import { callPlugin, executables } from "../parts/plugin.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../parts/real-api-server.ts";
import { hostLocals, namespaces, whatLacks } from "../parts/tools.ts";
import { privateMounts, withMounts } from "../real/parts/private-mounts.ts";
import { type Host, makeHost, signOfLife, startAgent, toldNode, until, uptime } from "./parts/agent.ts";
import { type Relay, startRelay } from "./parts/relay.ts";
import { compiler, makeWallClock } from "./parts/wall-clock.ts";

const noServer = reasonForNoRealApiServer();
const hostLocal = hostLocals()[0];
const lack = whatLacks(
  noServer === undefined ? {} : { missing: noServer },
  hostLocal ? {} : { missing: "host-local" },
  namespaces(),
  privateMounts(),
  compiler(),
);
const machineID = readFileSync("/etc/machine-id", "utf8").trim();
// Names and addresses of this process alone: several checkouts may test on one machine.
const link = `knag${process.pid}`;
const net = `198.18.${(process.pid >> 6) & 0xff}`;
const [ours, theirs] = [1, 2].map((host) => `${net}.${((process.pid & 63) << 2) + host}`) as [string, string];

let server: ApiServer;
beforeAll(async () => {
  if (!lack.some) server = await startRealApiServer();
}, 90_000);
afterAll(() => server?.close());

/** The plugin as a runtime on that host would call it. */
function makePlugin(host: Host, kubeconfig: string, relay: Relay, env: Record<string, string>) {
  let id = 0;
  const dataDir = host.path("data");
  mkdirSync(dataDir);
  return async () => {
    const before = relay.connections();
    const ipam = { type: "kube-node", dataDir, kubeconfig, annotation: "ranges" };
    const answer = await callPlugin({
      command: withMounts({ "/run": host.path("run") }, executables()[0]?.command("kube-node") ?? []),
      env,
      verb: "ADD",
      containerID: `c${++id}`,
      ifname: "eth0",
      netns: "/var/run/netns/none",
      path: hostLocal?.folder ?? "",
      stdin: { cniVersion: "1.0.0", name: "net1", type: "bridge", ipam },
    });
    const result = answer.json as { ips?: { address: string }[]; msg?: string };
    return { address: result.ips?.[0]?.address, msg: result.msg, asked: relay.connections() - before };
  };
}

describe.skipIf(lack.some)(`the plugin beside the agent${lack.words}`, () => {
  it("asks nothing while the agent hears the API server, and asks itself at most 15 s after the last packet", async () => {
    const namespace = makeNamespace("agent");
    onTestFinished(() => removeNamespaces([namespace]));
    connect({ link, addresses: [`${ours}/30`] }, { namespace, link: "eth0", addresses: [`${theirs}/30`] });
    const port = Number(new URL(server.url).port);
    const [forAgent, forPlugin] = [await startRelay(port, ours), await startRelay(port)];
    const folder = mkdtempSync(join(tmpdir(), "beside-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    await server.createNode({
      name: "beside",
      podCIDRs: [],
      annotations: { ranges: "10.1.0.0/24" },
      machineID,
    });
    const kubelet = { kind: "kubelet", node: "beside" } as const;
    const write = async (name: string, url: string) => {
      const text = await server.kubeconfigFor(kubelet, { url });
      writeFileSync(
        join(folder, name),
        text.replace("server:", "tls-server-name: localhost\n      server:"),
        { mode: 0o600 },
      );
      return join(folder, name);
    };
    const host = makeHost();
    const clock = makeWallClock(folder);
    const agent = startAgent({
      host,
      node: "beside",
      kubeconfig: await write("agent", `https://${ours}:${forAgent.port}`),
      wrap: (command) => inside(namespace, command),
      env: clock.env,
    });
    await until(
      () => signOfLife(host),
      () => `there is a sign of life; the agent said ${JSON.stringify(agent.lines())}`,
    );
    const kubeconfig = await write("plugin", `https://127.0.0.1:${forPlugin.port}`);
    const add = makePlugin(host, kubeconfig, forPlugin, clock.env);

    expect(await add()).toMatchObject({ address: "10.1.0.2/24", asked: 0 });
    await server.setAnnotation("beside", "ranges", "10.2.0.0/24");
    await until(() => toldNode(host)?.annotations["ranges"] === "10.2.0.0/24", "the change is told");
    expect(await add()).toMatchObject({ address: "10.2.0.2/24", asked: 0 });

    // A clock that is set back, or ahead, for agent and plugin, changes nothing.
    const heardAt = signOfLife(host)?.heardAt ?? 0;
    clock.shift(-20);
    await until(() => (signOfLife(host)?.heardAt ?? 0) > heardAt, "it is heard again");
    expect(await add()).toMatchObject({ address: "10.2.0.3/24", asked: 0 });

    // From now on every packet of the agent's is dropped; nothing is closed or reset. And the clock is set back once more.
    execFileSync("ip", ["link", "set", link, "down"]);
    clock.shift(-40);
    const since = uptime();
    await server.setAnnotation("beside", "ranges", "10.3.0.0/24");
    expect(await add()).toMatchObject({ address: "10.2.0.4/24", asked: 0 });
    while (uptime() <= since + longestSilence) await sleep(50);
    expect(await add()).toMatchObject({ address: "10.3.0.2/24", asked: 1 });

    expect((await agent.said("has not been heard for")).time).toBeLessThan(Date.now() - 20_000);
    execFileSync("ip", ["link", "set", link, "up"]);
    await until(() => toldNode(host)?.annotations["ranges"] === "10.3.0.0/24", "it is told again", 60_000);
    await until(() => uptime() - (signOfLife(host)?.heardAt ?? 0) < 5, "it is heard again");
    expect(await add()).toMatchObject({ address: "10.3.0.3/24", asked: 0 });
  }, 120_000);

  it("asks itself at most 15 s after the agent was stopped (SIGSTOP), or killed (kill -9), and not before", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ended-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const port = Number(new URL(server.url).port);
    const start = async (signal: "SIGSTOP" | "SIGKILL") => {
      const node = `ended-by-${signal.toLowerCase()}`;
      await server.createNode({
        name: node,
        podCIDRs: [],
        annotations: { ranges: "10.1.0.0/24" },
        machineID,
      });
      const relay = await startRelay(port);
      const write = async (name: string, options: { url?: string }) => {
        const path = join(folder, `${signal}-${name}`);
        writeFileSync(path, await server.kubeconfigFor({ kind: "kubelet", node }, options), { mode: 0o600 });
        return path;
      };
      const host = makeHost();
      const agent = startAgent({ host, node, kubeconfig: await write("agent", {}) });
      await until(() => signOfLife(host), "there is a sign of life");
      const url = `https://127.0.0.1:${relay.port}`;
      const add = makePlugin(host, await write("plugin", { url }), relay, {});
      expect(await add()).toMatchObject({ address: "10.1.0.2/24", asked: 0 });
      return { signal, node, host, agent, add };
    };
    const both = [await start("SIGSTOP"), await start("SIGKILL")];
    for (const { agent, signal } of both) agent.kill(signal);
    const since = uptime();
    for (const { node } of both) await server.setAnnotation(node, "ranges", "10.2.0.0/24");
    for (const { add } of both) expect(await add()).toMatchObject({ address: "10.1.0.3/24", asked: 0 });
    while (uptime() <= since + longestSilence) await sleep(50);
    for (const { add, signal } of both)
      expect(await add(), signal).toMatchObject({ address: "10.2.0.2/24", asked: 1 });

    // What was stopped and goes on vouches for nothing before it has heard the API server anew.
    const { agent, add, host } = both[0] as (typeof both)[0];
    agent.kill("SIGCONT");
    expect(await add()).toMatchObject({ address: "10.2.0.3/24" });
    await until(() => uptime() - (signOfLife(host)?.heardAt ?? 0) < 5, "it is heard again", 45_000);
    expect(await add()).toMatchObject({ address: "10.2.0.4/24", asked: 0 });
  }, 120_000);
});
