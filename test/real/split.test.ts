import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { overlaps } from "../../src/address/range.ts";
import { eachAtOnce } from "../../src/kube/at-once.ts";
import type { Client } from "../../src/kube/client.ts";
import { readFacts } from "../../src/kubectl/split-cluster.ts";
import { parseSpan } from "../../src/split/span.ts";
import { adminClient } from "../parts/admin-client.ts";
import type { ApiServer } from "../parts/api-server.ts";
import { createManyNodes, nodeName } from "../parts/many-nodes.ts";
import { executables } from "../parts/plugin.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: `a real API server: ${reason}` });
const [compiled] = executables();
const program = compiled?.command("kubectl-kube_node")[0] as string;
const nodes = 5000;
/** Whether the machine had its processors for us when this began: only then does a rate say something. */
const isIdle = (loadavg()[0] ?? 0) < availableParallelism();
const network = ["--cidr=10.64.0.0/10,fd00:2::/48", "--per-node=/25,/64"];

/** The most memory that a process has used, MiB, as far as was seen. */
function watchPeak(pid: number): () => number {
  let most = 0;
  const timer = setInterval(() => {
    try {
      const [, size] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
      most = Math.max(most, Math.round(Number(size ?? 0) / 1024));
    } catch {
      clearInterval(timer);
    }
  }, 50);
  return () => most;
}

describe.skipIf(lack.some)(`split on a real API server with ${nodes} nodes${lack.words}`, () => {
  let api: ApiServer;
  let client: Client;
  let folder: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    api = await startRealApiServer();
    client = await adminClient(api);
    folder = await mkdtemp(join(tmpdir(), "split-"));
    env = { KUBECONFIG: join(folder, "kubeconfig") };
    await writeFile(join(folder, "kubeconfig"), await api.kubeconfigFor({ kind: "admin" }));
    await createManyNodes(client, nodes, (index) => ({ labels: { part: String(index % 20) } }));
  }, 180_000);
  afterAll(async () => {
    client?.close();
    await api?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  function split(...words: string[]) {
    return execa(program, ["split", ...words], { env, extendEnv: false, reject: false });
  }

  /** Each Node's annotation, and the version of everything that a run could write. */
  async function read(key: string) {
    const facts = await client.list("/api/v1/nodes", (item) => readFacts(item, key));
    const annotations = facts.flatMap(({ name, annotation }) =>
      annotation === undefined ? [] : [{ name, annotation }],
    );
    return { facts, annotations, versions: facts.map(({ resourceVersion }) => resourceVersion) };
  }

  /** Pairs of nodes that share an address. */
  async function shared(key: string): Promise<string[]> {
    const { annotations } = await read(key);
    const all = annotations.flatMap(({ name, annotation }) =>
      annotation.split(",").map((text) => ({ name, span: parseSpan(text) })),
    );
    const inOrder = all.toSorted(
      (a, b) =>
        a.span.first.family - b.span.first.family || (a.span.first.value < b.span.first.value ? -1 : 1),
    );
    return inOrder.flatMap(({ name, span }, index) => {
      const next = inOrder[index + 1];
      return next && overlaps(span, next.span) ? [`${name} and ${next.name}`] : [];
    });
  }

  function waitUntilWritten(key: string, least: number) {
    return expect
      .poll(async () => (await read(key)).annotations.length, { timeout: 60_000, interval: 50 })
      .toBeGreaterThan(least);
  }

  it("gives each node a block of its own, and a second run writes nothing", async () => {
    const key = "example.com/all";
    const run = split(key, ...network);
    const peak = watchPeak(run.pid as number);
    const { stdout, stderr, exitCode } = await run;
    expect(peak()).toBeLessThan(300);
    expect({ stdout, exitCode }).toEqual({ stdout: `${key}: ${nodes} Nodes annotated`, exitCode: 0 });
    const rate = Number(/(\d+)\/s$/m.exec(stderr)?.[1]);
    console.log(`${stderr.split("\n").at(-1)}, at most ${peak()} MiB`);
    expect(rate).toBeGreaterThan(isIdle ? 200 : 50);
    const before = await read(key);
    expect(before.annotations).toHaveLength(nodes);
    expect(await shared(key)).toEqual([]);
    expect(before.annotations[0]).toEqual({ name: nodeName(0), annotation: "10.64.0.0/25,fd00:2::/64" });

    const again = await split(key);
    expect(again).toMatchObject({ exitCode: 0, stdout: `${key}: 0 Nodes annotated` });
    expect((await read(key)).versions).toEqual(before.versions);
  }, 180_000);

  it("two at once share the work and give no block twice", async () => {
    const key = "example.com/twice";
    const runs = await Promise.all([split(key, ...network), split(key, ...network)]);
    const counts = runs.map(({ stdout }) => Number(/: (\d+) Nodes/.exec(stdout)?.[1]));
    expect({ codes: runs.map(({ exitCode }) => exitCode), sum: counts.reduce((a, b) => a + b) }).toEqual({
      codes: [0, 0],
      sum: nodes,
    });
    expect((await read(key)).annotations).toHaveLength(nodes);
    expect(await shared(key)).toEqual([]);
  }, 180_000);

  it("killed at any time, it is completed by the next run", async () => {
    const key = "example.com/killed";
    for (let attempt = 0; attempt < 4; attempt++) {
      const run = split(key, ...network);
      await pause(500 + Math.random() * 2500);
      run.kill("SIGKILL");
      await run;
      expect(await shared(key)).toEqual([]);
    }
    expect(await split(key, ...network)).toMatchObject({ exitCode: 0 });
    expect((await read(key)).annotations).toHaveLength(nodes);
    expect(await shared(key)).toEqual([]);
  }, 180_000);

  it("interrupted, it says how far it came, and what to do", async () => {
    const key = "example.com/interrupted";
    const run = split(key, ...network);
    await waitUntilWritten(key, 10);
    run.kill("SIGINT");
    const { exitCode, stderr } = await run;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^not reached: \d+ Nodes, whose blocks are kept: run it again$/m);
    expect(await split(key)).toMatchObject({ exitCode: 0 });
    expect((await read(key)).annotations).toHaveLength(nodes);
  }, 180_000);

  it("stopped, and resumed when others have finished and nodes have changed, it gives no block twice", async () => {
    const key = "example.com/stopped";
    const some = ["-l", "part in (1, 2, 3, 4, 5, 6)"];
    const stopped = split(key, ...network, ...some);
    await waitUntilWritten(key, 5);
    stopped.kill("SIGSTOP");
    const waiting = (await read(key)).facts.filter(
      ({ name, annotation }) => annotation === undefined && [1, 2, 3].includes(Number(name.slice(5)) % 20),
    );
    expect(waiting.length).toBeGreaterThan(100);
    const [made, given, taken] = [waiting.slice(0, 9), waiting.slice(9, 18), waiting.slice(18, 60)];
    const annotate = (name: string, text: string | null) =>
      client.patch(`/api/v1/nodes/${name}`, { metadata: { annotations: { [key]: text } } }, "merge");

    // Nodes that are deleted and made again, that somebody annotates, and that lose what they were given.
    await eachAtOnce(made, 8, async ({ name }) => {
      await client.remove(`/api/v1/nodes/${name}`);
      await client.create("/api/v1/nodes", { metadata: { name, labels: { part: "1" } } });
    });
    await eachAtOnce([...given.entries()], 8, ([index, { name }]) =>
      annotate(name, `192.168.${index}.0/24,fd00:9:0:${index}::/64`),
    );
    expect(await split(key, ...some, "--release-after=0")).toMatchObject({ exitCode: 0 });
    await eachAtOnce(taken, 8, ({ name }) => annotate(name, null));
    expect(await split(key, "-l", "part in (7, 8)", "--release-after=0")).toMatchObject({ exitCode: 0 });
    const before = await read(key);

    stopped.kill("SIGCONT");
    const { exitCode, stderr } = await stopped;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^node\/node-\d+: gone: it was made again$/m);
    expect(stderr).toMatch(
      /^node\/node-\d+: changed: its annotation is "192\.168\.\S+ by now: left as it is$/m,
    );
    const after = new Map((await read(key)).annotations.map(({ name, annotation }) => [name, annotation]));
    expect(await shared(key)).toEqual([]);
    for (const { name, annotation } of before.annotations) expect(after.get(name)).toBe(annotation);
    for (const { name } of taken) expect(after.get(name)).toMatch(/^10\./);
    expect(await split(key, ...some)).toMatchObject({ exitCode: 0 });
    expect(await shared(key)).toEqual([]);
  }, 180_000);
});
