import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatHeldBlocks, heldBlocksKey } from "../../src/api/held-blocks.ts";
import type { NodeBlock } from "../../src/api/node-block.ts";
import { poolAnnotationKey } from "../../src/api/pool-names.ts";
import { createPool, giveBlocks } from "../parts/given-blocks.ts";
import { installPoolResources, poolPath } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { openSite, type Site } from "./kubectl.ts";

const missing = reasonForNoRealApiServer();
const lack = whatLacks(missing === undefined ? {} : { missing });
const key = poolAnnotationKey({ kind: "IPPool", name: "a" });

type Specs = Record<string, NodeBlock["spec"]>;

describe.skipIf(lack.some)(`kubectl kube-node rebuild on a real API server${lack.words}`, () => {
  let site: Site;
  let before: Specs;

  beforeAll(async () => {
    site = await openSite();
    const { admin, api } = site;
    for (const name of ["n1", "n2", "n3"]) await api.createNode({ name });
    await installPoolResources(admin);
    const a = await createPool(admin, "IPPool", "a", {
      subnet: "192.168.0.0/24",
      perNodeBlockSize: 16,
      exclusions: [{ startIP: "192.168.0.17", endIP: "192.168.0.20" }],
    });
    const b = await createPool(admin, "CIDRPool", "b", { cidr: "fd00:7::/48", perNodeNetworkPrefix: 64 });
    await giveBlocks(admin, a, "n1", [{ index: 0n }]);
    await giveBlocks(admin, a, "n2", [{ index: 1n }, { index: 2n, closing: true }]);
    await giveBlocks(admin, b, "n1", [{ index: 7n }]);
    before = await specs();
  }, 90_000);
  afterAll(() => site?.close());

  async function specs(): Promise<Specs> {
    const all = await site.admin.list(poolPath("NodeBlock"), (item) => item as NodeBlock);
    return Object.fromEntries(all.map(({ metadata, spec }) => [metadata.name, spec]));
  }

  /** What a backup from before a block was given leaves of it: nothing. */
  const forget = (...names: string[]) =>
    Promise.all(names.map((name) => site.admin.remove(poolPath("NodeBlock", name))));

  it("has nothing to do where nothing is missing", async () => {
    expect(await site.run("rebuild")).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: "0 NodeBlocks made, 4 there",
    });
  });

  it("says first what it would make, and makes just that: blocks as they were, closing ones too", async () => {
    await forget("ippool.a.1", "ippool.a.2", "cidrpool.b.7");
    const dry = await site.run("rebuild --dry-run=client");
    expect(dry).toMatchObject({ exitCode: 0, stderr: "3 NodeBlocks to be made (dry run), 1 there" });
    expect(dry.stdout).toMatchSnapshot();
    expect(Object.keys(await specs())).toEqual(["ippool.a.0"]);
    expect(await site.run("rebuild --dry-run=server")).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining("3 NodeBlocks made (server dry run), 1 there"),
    });
    expect(Object.keys(await specs())).toEqual(["ippool.a.0"]);
    const { stdout, exitCode } = await site.run("rebuild --yes");
    expect({ stdout, exitCode }).toEqual({
      stdout: [
        "nodeblock/cidrpool.b.7 created",
        "nodeblock/ippool.a.1 created",
        "nodeblock/ippool.a.2 created",
      ].join("\n"),
      exitCode: 0,
    });
    expect(await specs()).toEqual(before);
  });

  it("makes one pool's alone, by its name", async () => {
    await forget("ippool.a.0", "cidrpool.b.7");
    expect(await site.run("rebuild b -o name")).toMatchObject({
      exitCode: 0,
      stdout: "nodeblock/cidrpool.b.7",
    });
    expect(await specs()).not.toHaveProperty(["ippool.a.0"]);
    expect(await site.run("rebuild cidrpool/a -o name")).toEqual({
      exitCode: 1,
      stdout: "",
      stderr:
        'kubectl kube-node: there is no pool cidrpool/a (did you mean "ippool/a"?): kubectl get ippools,cidrpools lists them',
    });
    expect(await site.run("rebuild ippool/a -o name")).toMatchObject({
      exitCode: 0,
      stdout: "nodeblock/ippool.a.0",
    });
    expect(await specs()).toEqual(before);
  });

  it.each(["nope", "ippool/nope", "cidrpool/nope"])("says that there is no pool %s", async (word) => {
    for (const more of ["", " --dry-run=client", " -o json"])
      expect(await site.run(`rebuild ${word}${more}`)).toEqual({
        exitCode: 1,
        stdout: "",
        stderr: `kubectl kube-node: there is no pool ${word}: kubectl get ippools,cidrpools lists them`,
      });
  });

  it("knows a pool whose object a restore lost by what Nodes say, and by its NodeBlocks", async () => {
    const uid = (await site.api.getNode("n3"))?.metadata.uid ?? "";
    const lost = "ippool.ipam.kube-node.io/lost";
    const blocks = [{ name: "ippool.lost.0", subnet: "10.9.0.0/24", ranges: ["10.9.0.1-10.9.0.2"] }];
    const says = { version: 1, nodeUID: uid, holdsFor: 60, blocks };
    const unfit = { exitCode: 1, stdout: "" };
    const apply = "can't be made: ippool.lost.0 of n3: there is no IPPool lost: apply it first";
    await site.api.setAnnotation("n3", lost, JSON.stringify(says));
    for (const word of ["lost", "ippool/lost"]) {
      const answer = await site.run(`rebuild ${word}`);
      expect(answer).toMatchObject(unfit);
      expect(answer.stderr).toBe(`${apply}\n0 NodeBlocks made, 0 there, 1 can't be made`);
    }
    expect((await site.run("rebuild cidrpool/lost")).stderr).toContain("there is no pool cidrpool/lost");
    await site.api.setAnnotation("n3", lost, "{");
    expect((await site.run("rebuild lost")).stderr).toMatch(/^can't be made: ippool\/lost of n3: /);
    await site.api.setAnnotation("n3", lost, null);
    const held = { first: "10.9.0.1", last: "10.9.0.2", subnet: "10.9.0.0/24", used: 1, nodeUID: uid };
    await site.api.setAnnotation("n3", heldBlocksKey, formatHeldBlocks([{ ...held, name: "ippool.lost.0" }]));
    expect((await site.run("rebuild lost")).stderr).toContain(apply);
    await site.api.setAnnotation("n3", heldBlocksKey, "{");
    const unreadable = await site.run("rebuild lost");
    expect(unreadable).toMatchObject(unfit);
    expect(unreadable.stderr).toMatch(
      /^warning: there is no pool lost.*\ncan't be made: ipam\.kube-node\.io\/held of n3/,
    );
    await site.api.setAnnotation("n3", heldBlocksKey, null);
    expect((await site.run("rebuild lost")).stderr).toContain("there is no pool lost");
    const pool = { kind: "IPPool", name: "lost", uid: "of-the-lost" };
    await site.admin.create(poolPath("NodeBlock"), {
      apiVersion: "ipam.kube-node.io/v1alpha1",
      kind: "NodeBlock",
      metadata: { name: "ippool.lost.0" },
      spec: { pool, index: "0", first: "10.9.0.0", last: "10.9.0.3", nodeName: "n3", nodeUID: uid },
    });
    expect(await site.run("rebuild lost")).toMatchObject({
      exitCode: 0,
      stderr: "0 NodeBlocks made, 0 there",
    });
    await forget("ippool.lost.0");
  });

  it("makes what an agent still holds leases of, for the Node that it was given to", async () => {
    const block = {
      name: "ippool.a.5",
      subnet: "192.168.0.0/24",
      first: "192.168.0.81",
      last: "192.168.0.96",
      used: 2,
      nodeUID: "of-an-earlier-node",
    };
    await site.api.setAnnotation("n3", heldBlocksKey, formatHeldBlocks([block]));
    expect(await site.run("rebuild -o name")).toMatchObject({ exitCode: 0, stdout: "nodeblock/ippool.a.5" });
    expect((await specs())["ippool.a.5"]).toMatchObject({
      first: "192.168.0.81",
      last: "192.168.0.96",
      index: "5",
      nodeName: "n3",
      nodeUID: "of-an-earlier-node",
    });
    expect((await site.run("rebuild")).exitCode).toBe(0);
    await site.api.setAnnotation("n3", heldBlocksKey, null);
    await forget("ippool.a.5");
  });

  it("makes none that two nodes claim, nor writes over another's: both are conflicts", async () => {
    const uid = async (name: string) => (await site.api.getNode(name))?.metadata.uid ?? "";
    const own = (await site.api.getNode("n1"))?.metadata.annotations?.[key] ?? "";
    await site.api.setAnnotation("n3", key, own.replace(await uid("n1"), await uid("n3")));
    const taken = await site.run("rebuild");
    expect(taken).toMatchObject({ exitCode: 1, stdout: "" });
    expect(taken.stderr).toBe(
      "conflict: ippool.a.0 is n1's, and claimed by n3 too: drain n3\n0 NodeBlocks made, 4 there, 1 in conflict",
    );
    await forget("ippool.a.0");
    const twice = await site.run("rebuild");
    expect(twice).toMatchObject({ exitCode: 1, stdout: "" });
    expect(twice.stderr).toContain(
      "conflict: ippool.a.0 is claimed by n1 (192.168.0.1-192.168.0.16) and n3 (192.168.0.1-192.168.0.16): drain all but one",
    );
    expect(await specs()).not.toHaveProperty(["ippool.a.0"]);
    await site.api.setAnnotation("n3", key, null);
    expect((await site.run("rebuild")).exitCode).toBe(0);
    expect(await specs()).toEqual(before);
  });

  it("says of pools that were set back that nothing is missing, once that is so, and not in a dry run", async () => {
    const since = new Date(Date.now() + 60_000).toISOString(); // The controller's clock goes fast.
    const condition = {
      type: "SetBack",
      status: "True",
      reason: "NotRebuilt",
      message: "",
      lastTransitionTime: since,
    };
    await site.admin.patch(
      `${poolPath("IPPool", "a")}/status`,
      { status: { conditions: [condition] } },
      "merge",
    );
    const rebuilt = async () => {
      const { metadata } = await site.admin.get<{ metadata: { annotations?: object } }>(
        poolPath("IPPool", "a"),
      );
      return metadata.annotations;
    };
    const own = (await site.api.getNode("n1"))?.metadata.annotations?.[key] ?? "";
    const uid = async (name: string) => (await site.api.getNode(name))?.metadata.uid ?? "";
    await site.api.setAnnotation("n3", key, own.replace(await uid("n1"), await uid("n3")));
    const conflict = await site.run("rebuild --yes");
    expect(conflict).toMatchObject({ exitCode: 1, stdout: "" });
    expect(conflict.stderr).toContain("1 in conflict, nothing is given of ippool/a until then");
    await site.api.setAnnotation("n3", key, null);
    expect((await site.run("rebuild --dry-run=client")).stderr).toContain(
      "nothing is given of ippool/a until then",
    );
    expect(await site.run("rebuild --dry-run=server")).toMatchObject({
      exitCode: 0,
      stdout: "ippool/a annotated (server dry run)",
    });
    expect(await site.run("rebuild b")).toMatchObject({ exitCode: 0, stdout: "" });
    expect(await rebuilt()).toBeUndefined();
    expect(await site.run("rebuild")).toMatchObject({ exitCode: 0, stdout: "ippool/a annotated" });
    expect(await rebuilt()).toEqual({ "ipam.kube-node.io/rebuilt": since });
    await site.admin.patch(`${poolPath("IPPool", "a")}/status`, { status: { conditions: [] } }, "merge");
  });

  it("says what doesn't fit: no such pool, another grid, another Node's annotation, no such block, a malformed one", async () => {
    const node = await site.api.getNode("n3");
    const block = (name: string, range: string) => ({ name, subnet: "192.168.0.0/24", ranges: [range] });
    const annotate = (name: string, nodeUID: string | undefined, ...blocks: object[]) =>
      site.api.setAnnotation(
        "n3",
        `ippool.ipam.kube-node.io/${name}`,
        JSON.stringify({ version: 1, nodeUID, holdsFor: 60, blocks }),
      );
    await annotate("gone", node?.metadata.uid, block("ippool.gone.0", "192.168.0.1-192.168.0.2"));
    await annotate(
      "a",
      node?.metadata.uid,
      block("ippool.a.9", "192.168.0.200-192.168.0.209"),
      block("ippool.b.1", "192.168.0.33-192.168.0.40"),
    );
    await annotate("c", "another", block("ippool.c.0", "192.168.0.1-192.168.0.2"));
    await site.api.setAnnotation("n3", heldBlocksKey, "{}");
    const { stderr, stdout, exitCode } = await site.run("rebuild");
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 1 });
    for (const words of [
      "ippool.gone.0 of n3: there is no IPPool gone: apply it first",
      "ippool.a.9 of n3: 192.168.0.200-192.168.0.209 is not in that place of IPPool a: is its spec as it was?",
      "ippool/a of n3: ippool.b.1 is no block of this pool",
      "ippool/c of n3: it is for the Node with UID another",
      "ipam.kube-node.io/held of n3: expected a JSON list of blocks",
    ])
      expect(stderr).toContain(`can't be made: ${words}`);
    expect(await specs()).toEqual(before);
  });

  it("takes words as other commands do", async () => {
    expect(await site.run("rebuild a b")).toMatchObject({ exitCode: 2 });
    for (const word of ["ippool/", "ippools/a", "A_b"])
      expect(await site.run(`rebuild ${word}`)).toEqual({
        exitCode: 2,
        stdout: "",
        stderr: `kubectl kube-node: "${word}" is no pool's name: expected NAME, ippool/NAME or cidrpool/NAME`,
      });
    expect(await site.run("rebuild --dry-run=perhaps")).toMatchObject({ exitCode: 2 });
    const { stdout } = await site.run("rebuild b -o json");
    expect(JSON.parse(stdout)).toMatchObject({
      apiVersion: "kube-node.io/v1",
      kind: "RebuildResult",
      items: [],
    });
  });
});
