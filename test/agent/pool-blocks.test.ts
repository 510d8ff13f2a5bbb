// The agent's side of a block's life, on a real API server with the real CRDs, the built plugin and the real host-local.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { heldBlocksKey, parseHeldBlocks } from "../../src/api/held-blocks.ts";
import type { NodeBlock } from "../../src/api/node-block.ts";
import type { Client } from "../../src/kube/client.ts";
import { adminClient } from "../parts/admin-client.ts";
import type { ApiServer } from "../parts/api-server.ts";
import { callPlugin, executables, type PluginAnswer } from "../parts/plugin.ts";
import { installPoolResources, poolPath } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../parts/real-api-server.ts";
import { checkout, hostLocals, whatLacks } from "../parts/tools.ts";
import { addressesIn, expectSilence, readFailure } from "../real/parts/answers.ts";
import { nvIpamStoreOf, putNvIpamStore } from "../real/parts/nv-ipam-store.ts";
import { annotationOf, type Pool } from "../real/parts/pooled-worker.ts";
import { privateMounts, withMounts } from "../real/parts/private-mounts.ts";

const missing = reasonForNoRealApiServer();
const noHostLocal = hostLocals().length === 0 ? { missing: "host-local" } : {};
const lack = whatLacks(missing ? { missing } : {}, privateMounts(), noHostLocal);
const longestCall = 1.5;
let count = 0;

describe.skipIf(lack.some)(`what the agent does for blocks of pools${lack.words}`, () => {
  let server: ApiServer;
  let client: Client;
  beforeAll(async () => {
    server = await startRealApiServer();
    client = await adminClient(server);
    await installPoolResources(client);
  }, 60_000);
  afterAll(async () => {
    client?.close();
    await server?.close();
  });

  const block = { name: "", subnet: "10.1.0.0/16", ranges: ["10.1.0.2-10.1.0.9"] };

  async function makeMachine() {
    const node = `pooled-${process.pid}-${++count}`;
    const name = `ippool.a${count}.0`;
    const pool = `a${count}`;
    const folder = mkdtempSync(join(tmpdir(), "pooled-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const [cni, run, kubeconfig] = ["cni", "run", "kubeconfig"].map((one) => join(folder, one)) as [
      string,
      string,
      string,
    ];
    for (const one of [cni, run]) mkdirSync(one);
    const machineID = readFileSync("/etc/machine-id", "utf8").trim();
    await server.createNode({ name: node, machineID, podCIDRs: [] });
    const { uid } = (await server.getNode(node))?.metadata ?? { uid: "" };
    writeFileSync(kubeconfig, await server.kubeconfigFor({ kind: "admin" }), { mode: 0o600 });
    const wrap = (command: string[]) => withMounts({ "/var/lib/cni": cni, "/run": run }, command);
    const path = poolPath("NodeBlock", name);

    async function create(nodeName = node): Promise<void> {
      const spec = { pool: { kind: "IPPool", name: pool, uid: "p" }, index: "0", nodeName, nodeUID: uid };
      const metadata = { name };
      const all = { first: "10.1.0.1", last: "10.1.0.10" };
      await client.create(poolPath("NodeBlock"), {
        apiVersion: "ipam.kube-node.io/v1alpha1",
        kind: "NodeBlock",
        metadata,
        spec: { ...spec, ...all },
      });
    }
    const annotate = (change: Partial<Pool["blocks"][number]> | null) => {
      const [key, text] = annotationOf({ name: pool, blocks: [{ ...block, name, ...change }] }, uid);
      return server.setAnnotation(node, key, change === null ? null : text);
    };
    function call(verb: string, id: string, ipam: object = {}): Promise<PluginAnswer> {
      return callPlugin({
        command: wrap(executables()[0]?.command("kube-node") ?? []),
        verb,
        containerID: id,
        ifname: "eth0",
        netns: "/var/run/netns/none",
        path: hostLocals()[0]?.folder ?? "",
        stdin: {
          cniVersion: "1.0.0",
          name: "net1",
          type: "bridge",
          ipam: { type: "kube-node", kubeconfig, nodeName: node, pool, ...ipam },
        },
      });
    }
    await create();
    await annotate({});
    return {
      ...{ node, name, cni, run, path, create, annotate, call, folder },
      close: async () => {
        await annotate({ closing: true });
        await client.patch(path, { spec: { closing: true } }, "merge");
      },
      status: async () => (await client.get<NodeBlock>(path)).status ?? {},
      told: () => readText(join(run, "kube-node/node.json")),
      held: async () => (await server.getNode(node))?.metadata.annotations?.[heldBlocksKey],
      remove: () => client.remove(path),
      startAgent: () => startAgent(wrap, node, kubeconfig),
    };
  }

  function startAgent(
    wrap: (command: string[]) => string[],
    node: string,
    kubeconfig: string,
  ): { said(): string; stop(): Promise<void> } {
    const script = join(checkout, "test/agent/parts/run-pool-blocks.ts");
    const [file, ...words] = wrap([
      process.execPath,
      script,
      node,
      kubeconfig,
      "0.2",
      String(longestCall),
      "0.3",
    ]);
    const child: ChildProcess = spawn(file as string, words, { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (data) => {
        text += String(data);
      });
    const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    onTestFinished(() => void child.kill("SIGKILL"));
    const stop = async () => {
      child.kill("SIGTERM");
      await exited;
    };
    return { said: () => text, stop };
  }

  it("tells how much is used, and that a closing block isn't used any more only when that is so", async () => {
    const machine = await makeMachine();
    machine.startAgent();
    expect(addressesIn(await machine.call("ADD", "c1"))).toEqual(["10.1.0.2"]);
    await expect.poll(machine.status).toMatchObject({ used: 1, seenAt: expect.any(String) });
    await machine.close();
    await expect.poll(machine.told).toContain("closing");
    expect((await machine.call("ADD", "c2")).exitCode).toBe(1);
    await sleep(longestCall * 2000);
    expect(await machine.status()).not.toHaveProperty("drained");
    expectSilence(await machine.call("DEL", "c1"));
    await expect.poll(machine.status).toMatchObject({ drained: true, used: 0 });
  });

  it("does not, before the last call that may have seen it open is over", async () => {
    const machine = await makeMachine();
    const agent = machine.startAgent();
    await expect.poll(() => agent.said()).toContain("the API server is heard");
    const since = Date.now();
    await machine.close();
    await expect.poll(machine.status, { interval: 50 }).toMatchObject({ drained: true });
    expect(Date.now() - since).toBeGreaterThan(longestCall * 1000);
  });

  it("lets no answer that the plugin keeps give a block that was given back", async () => {
    const machine = await makeMachine();
    addressesIn(await machine.call("ADD", "c1"));
    expectSilence(await machine.call("DEL", "c1"));
    const kept = join(machine.cni, "networks/.kube-node/net1", `ranges-IPPool%20a${count}`);
    expect(readFileSync(kept, "utf8")).not.toContain("closing");
    await machine.close();
    const agent = machine.startAgent();
    await expect.poll(machine.status).toMatchObject({ drained: true });
    expect(readFileSync(kept, "utf8")).toContain("closing");
    await agent.stop();
    const cutOff = await machine.call("ADD", "c2", { kubeconfig: "/nowhere" });
    expect(readFailure(cutOff)).toMatchObject({ code: 103, msg: expect.stringContaining("gives its block") });
  });

  it("keeps a block while there is a store that it can't see", async () => {
    const machine = await makeMachine();
    const other = join(machine.folder, "other");
    addressesIn(await machine.call("ADD", "c1", { dataDir: other }));
    const hidden = `${other}-hidden`;
    renameSync(other, hidden);
    await machine.close();
    const agent = machine.startAgent();
    await expect.poll(() => agent.said()).toContain("isn't seen here, and holds leases of pools");
    await sleep(longestCall * 2000);
    expect(await machine.status()).not.toHaveProperty("drained");
    renameSync(hidden, other);
    await expect.poll(() => agent.said()).toContain("1 of its addresses are leased");
    expectSilence(await machine.call("DEL", "c1", { dataDir: other }));
    await expect.poll(machine.status).toMatchObject({ drained: true });
  });

  it("keeps a block of which nv-ipam leased addresses that nobody took over", async () => {
    const machine = await makeMachine();
    const entry = { id: "old1", ip: "10.1.0.3", pool: `a${count}` };
    const store = putNvIpamStore(machine.cni, nvIpamStoreOf([entry]));
    await machine.close();
    const agent = machine.startAgent();
    await expect.poll(() => agent.said()).toContain("1 of its addresses are leased");
    await sleep(longestCall * 2000);
    expect(await machine.status()).not.toHaveProperty("drained");
    writeFileSync(store, readFileSync(store, "utf8").slice(0, 60));
    await expect.poll(() => agent.said()).toContain("can't be understood");
    expect(await machine.status()).not.toHaveProperty("drained");
    rmSync(store);
    await expect.poll(machine.status).toMatchObject({ drained: true });
  });

  it("leaves another node's block alone, whatever this Node's annotation says", async () => {
    const machine = await makeMachine();
    await machine.remove();
    await machine.create("somebody-else");
    await machine.close();
    machine.startAgent();
    await sleep(longestCall * 2000 + 1000);
    expect(await machine.status()).not.toHaveProperty("drained");
  });

  it("tells what the node holds and nobody knows of, until somebody does", async () => {
    const machine = await makeMachine();
    const agent = machine.startAgent();
    addressesIn(await machine.call("ADD", "c1"));
    await expect.poll(machine.status).toMatchObject({ used: 1 });
    await agent.stop();
    await machine.remove();
    await machine.annotate(null);
    machine.startAgent();
    await expect.poll(machine.held).toBeDefined();
    expect(parseHeldBlocks((await machine.held()) ?? "")).toMatchObject([
      { name: machine.name, subnet: "10.1.0.0/16", first: "10.1.0.2", last: "10.1.0.9", used: 1 },
    ]);
    await machine.create();
    await expect.poll(machine.held).toBeUndefined();
  });

  it("forgets what it holds nothing of", async () => {
    const machine = await makeMachine();
    const agent = machine.startAgent();
    const blocks = join(machine.cni, "networks/.kube-node/.agent/blocks");
    await expect.poll(() => readText(blocks)).toContain(machine.name);
    await machine.remove();
    await machine.annotate(null);
    await expect.poll(() => readText(blocks)).not.toContain(machine.name);
    expect(await machine.held()).toBeUndefined();
    expect(agent.said()).not.toContain("can't");
  });
});

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
