// One agent a node: the second waits, says for whom, and goes on as soon as the first is gone, however it went.
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { acquireLock } from "../../src/agent/lock.ts";
import { executables } from "../parts/plugin.ts";
import { type Agent, type Host, makeHost, startAgent, until } from "./parts/agent.ts";

/** Without an API server: the lock comes first. */
function start(host: Host, wrap?: (command: string[]) => string[]): Agent {
  writeFileSync(join(host.root, "kubeconfig"), "{}", { mode: 0o600 });
  return startAgent({ host, node: "n1", kubeconfig: join(host.root, "kubeconfig"), ...(wrap && { wrap }) });
}

const taken = (agent: Agent) => agent.said("the lock is taken");
const soon = 3000;

describe("two agents on one node", () => {
  it.each([
    ["ends", "SIGTERM"],
    ["is killed", "SIGKILL"],
  ] as const)("the second waits until the first %s", async (_, signal) => {
    const host = makeHost();
    const first = start(host);
    await taken(first);
    const second = start(host);
    const { msg } = await second.said("another agent is at work on this node");
    expect(msg).toContain(`process ${first.pid}`);
    expect((await second.get("/readyz")).text).toContain("[-] lock: another agent is at work on this node");
    expect((await second.get("/healthz")).status).toBe(200);
    await sleep(500);
    expect(second.lines().some(({ msg }) => msg === "the lock is taken")).toBe(false);
    first.kill(signal);
    await first.exited;
    const before = performance.now();
    await taken(second);
    expect(performance.now() - before).toBeLessThan(soon);
    expect(await second.stop()).toBe(0);
    expect(readdirSync(host.run)).not.toContain("agent.sock");
  });

  it("the second waits for a first that is stopped, and for one in another process namespace", async () => {
    const host = makeHost();
    const first = start(host, (command) => ["unshare", "--pid", "--fork", "--kill-child", ...command]);
    await taken(first);
    const second = start(host);
    await second.said("another agent is at work on this node");
    expect(second.lines().some(({ msg }) => msg === "the lock is taken")).toBe(false);
    first.kill("SIGKILL");
    await taken(second);
    second.kill("SIGSTOP");
    const third = start(host);
    await third.said("another agent is at work on this node (it doesn't say which)");
    second.kill("SIGKILL");
    await taken(third);
  });

  it("one that waits ends when it is told to", async () => {
    const host = makeHost();
    await taken(start(host));
    const second = start(host);
    await second.said("another agent is at work on this node");
    expect(await second.stop()).toBe(0);
  });

  it.each([
    ["", (run: string) => rmSync(join(run, "agent.sock"))],
    [
      ", its folder too",
      (run: string) => {
        rmSync(run, { recursive: true });
        writeFileSync(run, "a file");
      },
    ],
  ])("one whose lock somebody takes away%s, ends, since another may be at work", async (_, takeAway) => {
    const host = makeHost();
    const agent = start(host);
    await taken(agent);
    takeAway(host.run);
    expect(await agent.exited).toBe(1);
    await agent.said("somebody took the lock's file away");
  });

  it("install and uninstall wait for an agent, too", async () => {
    const host = makeHost();
    const agent = start(host);
    await taken(agent);
    const command = executables()[0]?.command("kube-node-agent")[0] as string;
    const install = execa(
      command,
      ["install", "--node-name=n1", `--host-root=${host.root}`, "--credentials=none"],
      { reject: false },
    );
    let words = "";
    install.stderr.on("data", (data) => {
      words += String(data);
    });
    await until(() => words.includes("another agent is at work on this node"), "it says whom it waits for");
    await agent.stop();
    expect(await install).toMatchObject({ exitCode: 0 });
    expect(existsSync(join(host.bin, "kube-node"))).toBe(true);
  });
});

describe("the lock", () => {
  it("is had by one at a time of many that want it at once, over what a killed one left", async () => {
    const host = makeHost();
    const killed = start(host);
    await taken(killed);
    killed.kill("SIGKILL");
    await killed.exited;
    let [holders, most] = [0, 0];
    const signal = AbortSignal.timeout(30_000);
    await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        const lock = await acquireLock(host.run, `number ${index}`, { signal, onWait: () => {} });
        holders++;
        most = Math.max(most, holders);
        await sleep(20);
        expect(lock.isHeld()).toBe(true);
        holders--;
        await lock.release();
      }),
    );
    expect(most).toBe(1);
    // The one that was killed may have come as far as making its folders.
    expect(readdirSync(host.run).filter((name) => name.includes("agent"))).toEqual([]);
  });

  it("says what is wrong with its folder, and is taken once that is mended", async () => {
    const host = makeHost();
    writeFileSync(host.run, "a file");
    const agent = start(host);
    const { msg } = await agent.said("can't be taken");
    expect(msg).toContain(`the lock ${host.run}/agent.sock can't be taken: `);
    rmSync(host.run);
    await taken(agent);
  });
});
