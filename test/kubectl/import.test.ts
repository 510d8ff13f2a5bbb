import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NodeBlock } from "../../src/api/node-block.ts";
import { type Fitting, importPool } from "../../src/kubectl/import-pool.ts";
import type { Shell } from "../../src/kubectl/shell.ts";
import { fitPool } from "../../src/move/fit-pool.ts";
import { readHandRanges } from "../../src/move/read-hand-ranges.ts";
import { installPoolResources, poolPath } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { dyingClient } from "./dying-client.ts";
import { openSite, type Site } from "./kubectl.ts";

const missing = reasonForNoRealApiServer();
const lack = whatLacks(missing === undefined ? {} : { missing });
const key = "example.com/net1";

describe.skipIf(lack.some)(`kubectl kube-node import ranges on a real API server${lack.words}`, () => {
  let site: Site;
  let made = 0;

  beforeAll(async () => {
    site = await openSite();
    for (const name of ["n1", "n2", "n3"]) await site.api.createNode({ name, podCIDRs: [] });
    await site.api.createNode({ name: "other", podCIDRs: ["10.9.0.0/24"] });
    await installPoolResources(site.admin);
  }, 90_000);
  afterAll(() => site?.close());

  /** FOLDER/NODE/FILE for each; the folder. */
  function write(files: Record<string, object | string>): string {
    const folder = join(site.folder, `nodes-${made++}`);
    for (const [name, content] of Object.entries(files)) {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
    }
    return folder;
  }
  const list = (ipam: object, name = "net1") => ({
    cniVersion: "1.0.0",
    name,
    plugins: [{ type: "bridge", ipam: { type: "host-local", ...ipam } }, { type: "portmap" }],
  });
  const subnet = (third: number) => list({ subnet: `10.1.${third}.0/24`, rangeStart: `10.1.${third}.10` });
  const annotations = async () =>
    Object.fromEntries(
      await Promise.all(
        ["n1", "n2", "n3", "other"].map(async (name) => [
          name,
          (await site.api.getNode(name))?.metadata.annotations?.[key],
        ]),
      ),
    );
  const nothing = { n1: undefined, n2: undefined, n3: undefined, other: undefined };

  it("shows what is there, and which pool would fit, and writes nothing", async () => {
    const calico = { name: "calico", type: "calico", ipam: { type: "calico-ipam" } };
    const folder = write({
      "n1/10-a.conflist": subnet(1),
      "n2/10-a.conflist": subnet(2),
      "n2/20-b.conf": calico,
    });
    const { exitCode, stdout, stderr } = await site.run(["import", "ranges", folder]);
    expect(exitCode).toBe(0);
    expect(stdout.replaceAll(folder, "F").split(/\s*\n/)).toEqual([
      expect.stringMatching(/^NODE +RANGES +FILE$/),
      expect.stringMatching(/^n1 +10\.1\.1\.10-10\.1\.1\.254\/24 +F\/n1\/10-a\.conflist$/),
      expect.stringMatching(/^n2 +10\.1\.2\.10-10\.1\.2\.254\/24 +F\/n2\/10-a\.conflist$/),
    ]);
    expect(stderr).toContain("20-b.conf: ipam of type calico-ipam, not host-local: it stays as it is");
    expect(stderr).toContain('a CIDRPool gives each node what it has: {"cidr":"10.1.0.0/22"');
    expect(await annotations()).toEqual(nothing);
  });

  it("annotations: dry run first, then each node's own, then nothing is left to do", async () => {
    const dual = list({ ranges: [[{ subnet: "10.1.2.0/24" }], [{ subnet: "fd00:2::/64" }]] });
    const gateway = list({ subnet: "10.1.3.0/24", gateway: "10.1.3.254" });
    const folder = write({ "n1/a.conflist": subnet(1), "n2/a.conflist": dual, "n3/a.conflist": gateway });
    const words = ["import", "ranges", folder, `--annotation=${key}`];
    const dry = await site.run([...words, "--dry-run"]);
    expect(dry.exitCode).toBe(0);
    expect(dry.stdout).toContain("node/n2 annotated (dry run)");
    expect(await annotations()).toEqual(nothing);
    const { exitCode, stderr } = await site.run(words);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('network net1: "ipam": {"type":"kube-node","annotation":"example.com/net1"}');
    expect(await annotations()).toEqual({
      n1: '[[{"subnet":"10.1.1.0/24","rangeStart":"10.1.1.10"}]]',
      n2: "10.1.2.0/24,fd00:2::/64",
      n3: '[[{"subnet":"10.1.3.0/24","gateway":"10.1.3.254"}]]',
      other: undefined,
    });
    const again = await site.run(words);
    expect(again.exitCode).toBe(0);
    expect(again.stdout).toBe("node/n1 unchanged\nnode/n2 unchanged\nnode/n3 unchanged");
    const changed = write({ "n1/a.conflist": subnet(7) });
    const refused = await site.run(["import", "ranges", changed, `--annotation=${key}`]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("n1 has example.com/net1=[[");
    for (const name of ["n1", "n2", "n3"]) await site.api.setAnnotation(name, key, null);
  });

  it("takes nothing on doubt: overlaps between nodes, another Node's podCIDRs, malformed files, no such Node", async () => {
    const folder = write({
      "n1/a.conflist": list({ subnet: "10.1.1.0/24" }),
      "n2/a.conflist": list({ subnet: "10.1.1.128/25" }),
      "n3/a.conflist": list({ subnet: "10.9.0.0/25" }),
      "n4/a.conflist": list({ subnet: "10.1.4.0/24" }),
      "n3/b.conflist": "{",
    });
    const { exitCode, stderr } = await site.run(["import", "ranges", folder, `--annotation=${key}`]);
    expect(exitCode).toBe(1);
    for (const words of [
      "n4: there is no such Node",
      "b.conflist: expected a CNI configuration",
      "10.1.1.128/25 (example.com/net1 of n2) overlaps with 10.1.1.0/24 (example.com/net1 of n1)",
      "10.9.0.0/25 (example.com/net1 of n3) overlaps with 10.9.0.0/24",
      "nothing was written",
    ])
      expect(stderr).toContain(words);
    expect(await annotations()).toEqual(nothing);
  });

  it("a pool: its manifest first, then the pool with each node's block; run again it is done already", async () => {
    const folder = write({ "n1/a.conflist": subnet(1), "n3/a.conflist": subnet(6) });
    const words = ["import", "ranges", folder, "--pool=net1"];
    const dry = await site.run([...words, "--dry-run", "-o", "yaml"]);
    expect(dry.exitCode).toBe(0);
    expect(dry.stdout).toMatchSnapshot();
    const blocks = () =>
      site.admin.list(poolPath("NodeBlock"), (item) => {
        const { metadata, spec } = item as NodeBlock;
        return `${metadata.name} ${spec.nodeName} ${spec.first}-${spec.last}`;
      });
    expect(await blocks()).toEqual([]);
    expect(await site.run(words)).toMatchObject({
      exitCode: 0,
      stdout: "cidrpool/net1 made, with the blocks of 2 nodes",
      stderr: expect.stringContaining("every other Node gets a block, too"),
    });
    const expected = ["cidrpool.net1.1 n1 10.1.1.0-10.1.1.255", "cidrpool.net1.6 n3 10.1.6.0-10.1.6.255"];
    expect(await blocks()).toEqual(expected);
    await site.admin.remove(poolPath("NodeBlock", "cidrpool.net1.6"));
    expect((await site.run(words)).exitCode).toBe(0);
    expect(await blocks()).toEqual(expected);
    const pool = await site.admin.get<{ status: object }>(poolPath("CIDRPool", "net1"));
    expect(pool.status).toEqual({ grid: { first: "10.1.0.0", size: "256" } });
    const other = write({ "n1/a.conflist": subnet(1), "n3/a.conflist": subnet(60) });
    const refused = await site.run(["import", "ranges", other, "--pool=net1"]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("there is another CIDRPool net1 already: give --pool another name");
  });

  it("a pool, killed after any write and run again: each node's place at the end, and no other before", async () => {
    const ranges = ["n1", "n2", "n3"].flatMap(
      (node, i) =>
        readHandRanges({ node, path: "a.conflist", text: JSON.stringify(subnet([33, 35, 32][i] as number)) })
          .ranges,
    );
    const fit = fitPool(ranges) as Fitting;
    const nodes = new Map(
      await site.admin.list("/api/v1/nodes", (item) => {
        const { name, uid } = (item as { metadata: { name: string; uid: string } }).metadata;
        return [name, { uid }] as const;
      }),
    );
    const shell = { progress: () => undefined } as unknown as Shell;
    const expected = { n1: "10.1.33.0", n2: "10.1.35.0", n3: "10.1.32.0" };
    const given = async () =>
      Object.fromEntries(
        (await site.admin.list(poolPath("NodeBlock"), (item) => item as NodeBlock))
          .filter(({ spec }) => spec.pool.name === "killed")
          .map(({ spec }) => [spec.nodeName, spec.first]),
      );
    for (let runs = 1; ; runs++) {
      const state = { left: runs }; // What is there already is asked for again, and counts.
      const outcome = await importPool(dyingClient(site.admin, state), "killed", fit, nodes, shell).catch(
        (error: Error) => error.message,
      );
      expect(expected).toMatchObject(await given());
      if (state.left < 0) continue;
      expect(outcome).toEqual([]);
      expect(runs).toBeGreaterThan(3);
      break;
    }
    expect(await given()).toEqual(expected);
  });

  it("says why no pool fits, and what does", async () => {
    const part = (start: number) =>
      list({ subnet: "10.2.0.0/24", rangeStart: `10.2.0.${start}`, rangeEnd: `10.2.0.${start + 9}` });
    const folder = write({ "n1/a.conflist": part(10), "n2/a.conflist": part(20) });
    const { exitCode, stderr } = await site.run(["import", "ranges", folder, "--pool=net2"]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("no grid fits: blocks of 10 begin at 10.2.0.1");
    expect(stderr).toContain("--annotation=KEY does");
  });

  it("mistakes in the words are said with what was expected", async () => {
    const folder = write({
      "n1/a.conflist": subnet(1),
      "n1/b.conflist": list({ subnet: "10.3.0.0/24" }, "net3"),
    });
    const run = (...words: string[]) => site.run(["import", "ranges", ...words]);
    expect(await run("/nowhere")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("no such file or folder"),
    });
    expect(await run(`${site.folder}/empty-not-there`, folder)).toMatchObject({ exitCode: 2 });
    expect(await run(folder, "--pool=a", "--annotation=b")).toMatchObject({ exitCode: 2 });
    expect(await run(folder, "--pool=A_b")).toMatchObject({ exitCode: 2 });
    expect(await run(folder, "--network=net3", "--annotation=ippool.ipam.kube-node.io/a")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("is written by kube-node-controller"),
    });
    expect(await run(folder)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("choose one with --network: net1, net3"),
    });
    expect(await run(folder, "--network=net3")).toMatchObject({ exitCode: 0 });
    expect(await run(join(folder, "n1/a.conflist"))).toMatchObject({ exitCode: 0 });
  });
});
