// The folder in which the plugin hears from the agent is full, or read-only: an outdated Node is never vouched for.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type Agent, type Host, makeHost, signOfLife, startAgent, toldNode, until } from "./parts/agent.ts";
import { lack, useServer } from "./parts/own-server.ts";

const own = useServer();
const machineID = readFileSync("/etc/machine-id", "utf8").trim();
const beats = 9000; // Two, and a little.
let count = 0;

/** An agent on whose host /run/kube-node is a file system of 64 KiB; `seen`: that folder from outside. */
async function startOnSmallFolder(): Promise<{ agent: Agent; node: string; seen: Host }> {
  const node = `small-${++count}`;
  await own.server.createNode({ name: node, annotations: { a: "0" }, machineID });
  const host = makeHost();
  mkdirSync(host.run);
  const kubeconfig = host.path("kubeconfig");
  writeFileSync(kubeconfig, await own.server.kubeconfigFor({ kind: "kubelet", node }), { mode: 0o600 });
  const script = 'mount -t tmpfs -o size=64k none "$0" && exec "$@"';
  const wrap = (command: string[]) => ["unshare", "--mount", "sh", "-c", script, host.run, ...command];
  const agent = startAgent({ host, node, kubeconfig, wrap, args: ["--credentials=none"] });
  await agent.said("the API server is heard");
  const seen = { ...host, run: `/proc/${agent.pid}/root${host.run}` };
  await until(() => signOfLife(seen), "there is a sign of life");
  return { agent, node, seen };
}

/** What the plugin is told now is the Node as it is. */
async function told(host: Host, value: string): Promise<void> {
  await until(() => toldNode(host)?.annotations["a"] === value && signOfLife(host), `a=${value} is told`);
}

describe.skipIf(lack.some)(`the folder of the agent's word${lack.words}`, () => {
  it("has room for a sign of life, but none for the Node: there is none", async () => {
    const { agent, node, seen } = await startOnSmallFolder();
    const filler = join(seen.run, "filler");
    // A page is 4 KiB: node.json, alive and the calls' notes have theirs; two are left.
    writeFileSync(filler, Buffer.alloc(12 * 4096));
    const large = "x".repeat(20_000);
    await own.server.setAnnotation(node, "a", large);
    const { reason } = await agent.said("the plugin can't be told of the Node, and asks itself");
    expect(reason).toContain("no room is left there (ENOSPC)");
    await until(() => signOfLife(seen) === undefined, "the sign of life is taken away");
    for (const end = Date.now() + beats; Date.now() < end; await sleep(100))
      expect(signOfLife(seen)).toBeUndefined();
    expect(toldNode(seen)?.annotations["a"]).toBe("0");
    const { text } = await agent.get("/readyz");
    expect(text).toContain("(ENOSPC); the plugin asks itself");
    expect((await agent.get("/healthz")).status).toBe(200);
    rmSync(filler);
    await told(seen, large);
    expect(agent.lines().filter(({ msg }) => msg.startsWith("the plugin can't be told"))).toHaveLength(1);
  }, 60_000);

  it("is read-only: the sign of life that is there runs out", async () => {
    const { agent, node, seen } = await startOnSmallFolder();
    const remount = (mode: string) =>
      execFileSync("nsenter", [
        `--target=${agent.pid}`,
        "--mount",
        "mount",
        "-o",
        `remount,${mode}`,
        seen.run.replace(/^\/proc\/\d+\/root/, ""),
      ]);
    remount("ro");
    const before = signOfLife(seen)?.heardAt;
    await own.server.setAnnotation(node, "a", "1");
    const { reason } = await agent.said("the plugin can't be told of the Node, and asks itself");
    expect(reason).toContain("the folder is mounted read-only (EROFS)");
    await sleep(beats);
    expect(signOfLife(seen)?.heardAt).toBe(before);
    remount("rw");
    await told(seen, "1");
    await agent.said("the plugin can be told of the Node again");
  }, 60_000);
});
