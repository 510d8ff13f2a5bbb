// kube-node audit: what leaked is found with its reason, only what is proven dead is freed, and who lives keeps what he has.
import { readFileSync, renameSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { uptime } from "../../src/host/machine.ts";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { callPlugin, type PluginAnswer } from "../parts/plugin.ts";
import { checkout } from "../parts/tools.ts";
import { makeAnnotatedNode } from "../real/parts/annotated-node.ts";
import { addressesIn, expectSilence, wordsOf } from "../real/parts/answers.ts";
import { withMounts } from "../real/parts/private-mounts.ts";
import { editJson, listLeases, listRecords } from "../real/parts/store.ts";
import { describeHostLocals, describeSubjects } from "../real/parts/subjects.ts";
import { lack, makeOperatorsNode, type OperatorsNode, type TestPod, transcript } from "./parts/node.ts";

const spec = { podCIDRs: ["10.1.0.0/24", "fd00:1::/64"] };
const pod = (name: string, id: string): TestPod => ({ name, id });
const live = pod("default/web-0", "11aa22bb33cc44dd");
const both = pod("default/web-1", "22bb33cc44dd55ee");
const dead = pod("shop/cart-0", "33cc44dd55ee66ff");
const gone = pod("shop/cart-1", "44dd55ee66ff7700");
const bare = pod("shop/cart-2", "55ee66ff77008811");
const torn = pod("shop/cart-3", "66ff770088119922");
const lost = pod("shop/cart-4", "7700881199aa2233");
const bareLive = pod("shop/cart-5", "881199aa22bb3344");
const strange = "0badc0ffee00";

/** Longer than any call lives. */
const longAgo = 1000;

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

type Report = { leaks: Found[]; freed: Found[] };
type Found = {
  network: string;
  leak: string;
  subject: string;
  containerID: string | null;
  freeable: boolean;
};

describeHostLocals("kube-node audit", (subject) => {
  describe.skipIf(lack.some)(`on a machine with pods${lack.words}`, () => {
    const make = () => makeOperatorsNode(server, subject, spec);
    const leases = ({ stores }: OperatorsNode) => listLeases(join(stores, "net1"));
    const records = ({ stores }: OperatorsNode) => listRecords(join(stores, ".kube-node/net1"));
    const leasesOf = ({ id }: TestPod, ...addresses: string[]) =>
      Object.fromEntries(addresses.map((address) => [address, `${id} eth0`]));

    function age(path: string): void {
      const then = Date.now() / 1000 - longAgo;
      utimesSync(path, then, then);
    }
    const makeDead = (node: OperatorsNode, one: TestPod) =>
      editJson(node.recordOf(one), { bootID: "an earlier one" });

    /** Its lease goes behind our back, longer ago than any call can live. */
    async function loseLease(node: OperatorsNode, one: TestPod): Promise<void> {
      expectSilence(await node.hostLocal("DEL", one.id));
      editJson(node.recordOf(one), { uptime: uptime() - longAgo });
    }

    /** One of everything that leaks, and who lives beside it. */
    async function spoil(node: OperatorsNode): Promise<void> {
      for (const one of [live, dead, gone, bare, torn, lost, bareLive, both]) await node.attach(one);
      makeDead(node, dead);
      for (const one of [gone, bare]) node.endNamespace(one);
      for (const one of [bare, bareLive, lost]) await loseLease(node, one);
      for (const one of [torn, lost]) writeFileSync(node.recordOf(one), '{"version": 1, "contai');
      for (const one of [torn, lost]) age(node.recordOf(one));
      addressesIn(await node.hostLocal("ADD", strange));
      const store = join(node.stores, "net1");
      for (const address of ["10.1.0.77", "10.1.0.78"]) writeFileSync(join(store, address), "");
      age(join(store, "10.1.0.77")); // The other one may be host-local's, at work right now.
      writeFileSync(join(store, "notes.txt"), "10.1.0.2 belongs to me");
      writeFileSync(join(node.stores, ".kube-node/net1/attachments/.tmp-4194303-17"), "{");
      writeFileSync(join(node.stores, ".kube-node/net1/attachments/stray"), "");
    }
    const kept = {
      ...leasesOf(live, "10.1.0.2", "fd00:1::2"),
      ...leasesOf(both, "10.1.0.9", "fd00:1::9"),
    };

    it("finds each leak with its reason, and touches nothing", async () => {
      const node = await make();
      await spoil(node);
      const before = [leases(node), records(node)];
      const told = transcript(["audit"], await node.run("audit"));
      await expect(told).toMatchFileSnapshot("golden/audit.txt");
      expect(readFileSync(join(checkout, "docs/commands/kube-node.md"), "utf8")).toContain(told.trimEnd());
      expect([leases(node), records(node)]).toEqual(before);
    });

    it("--fix frees what is proven, looks again, and says what is left", async () => {
      const node = await make();
      await spoil(node);
      const told = transcript(["audit", "--fix"], await node.run("audit", "--fix"));
      await expect(told).toMatchFileSnapshot("golden/audit-fix.txt");
      expect(leases(node)).toEqual({
        ...kept,
        ...leasesOf(gone, "10.1.0.4", "fd00:1::4"),
        ...leasesOf(torn, "10.1.0.6", "fd00:1::6"),
        "10.1.0.10": `${strange} eth0`,
        "10.1.0.78": "",
      });
      const left = [live, both, gone, torn, bareLive].map(({ id }) => `${id}:eth0`);
      expect(records(node)).toEqual([...left, "stray"].sort());
      // Nobody who lives was disturbed.
      for (const one of [live, both]) expectSilence(await node.call("CHECK", one));
    });

    it("--gone frees what a person says is gone, and nobody that is seen to live", async () => {
      const node = await make();
      await spoil(node);
      const ids = [gone, torn, live, bareLive].map(({ id }) => id);
      const answer = await node.run("audit", "--fix", `--gone=${[...ids, strange].join(",")}`, "-o", "json");
      expect(leases(node)).toEqual({ ...kept, "10.1.0.78": "" });
      const { leaks, freed } = answer.json as Report;
      expect(leaks.map(({ leak }) => leak).sort()).toEqual([
        "foreign-file",
        "foreign-file",
        "record-without-lease",
      ]);
      expect(freed.flatMap(({ containerID }) => containerID ?? [])).toEqual(
        expect.arrayContaining([gone.id, torn.id, strange, dead.id]),
      );
      expect(answer.exitCode).toBe(1);
      const refused = await node.run("audit", `--gone=${gone.id}`);
      expect(refused).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining("--gone goes with --fix"),
      });
    });

    it("--gone takes the beginning of an id that no other container's has, as the tables show it", async () => {
      const node = await make();
      for (const one of [live, gone]) await node.attach(one);
      node.endNamespace(gone);
      const shown = gone.id.slice(0, 13);
      expect((await node.run("audit")).stdout).toContain(` ${shown} `);
      expect(await node.run("audit", "--fix", `--gone=${shown}`)).toMatchObject({ exitCode: 0 });
      expect(leases(node)).toEqual(leasesOf(live, "10.1.0.2", "fd00:1::2"));
    });

    it("--gone refuses what means no container, or may mean several, before anything is freed", async () => {
      const node = await make();
      const twin = pod("shop/cart-9", `${gone.id.slice(0, 15)}f`);
      for (const one of [live, gone, twin, dead]) await node.attach(one);
      makeDead(node, dead);
      for (const one of [gone, twin]) node.endNamespace(one);
      const before = [leases(node), records(node)];
      const cases = [
        ["typo", "--gone=typo: no container with this id, or one that begins so, holds anything here"],
        [`${gone.id},zz`, "--gone=zz: no container"],
        ["44d", `--gone=44d: several containers' ids begin so: ${gone.id}, ${twin.id}; nothing was changed`],
        [gone.id.slice(0, 13), "several containers' ids begin so"],
        [`${gone.id}0`, "no container with this id"],
      ] as const;
      for (const [words, says] of cases) {
        const refused = await node.run("audit", "--fix", `--gone=${words}`);
        expect(refused).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(says) });
        expect([leases(node), records(node)]).toEqual(before);
      }
      await node.run("audit", "--fix", `--gone=${gone.id}`);
      expect(new Set(Object.values(leases(node)))).toEqual(new Set([`${live.id} eth0`, `${twin.id} eth0`]));
    });

    it("--gone takes whole ids alone where a network can't be read", async () => {
      const node = await make();
      for (const one of [gone, { ...live, network: "net2" }]) await node.attach(one);
      node.endNamespace(gone);
      const own = join(node.stores, ".kube-node/net2");
      renameSync(own, join(node.worker.folder, "moved"));
      symlinkSync(join(node.worker.folder, "moved"), own);
      expect(await node.run("audit", "--fix", `--gone=${gone.id.slice(0, 13)}`)).toMatchObject({
        exitCode: 2,
        stderr: expect.stringMatching(
          /a network could not be read, .*: write the id whole; nothing was changed/,
        ),
      });
      expect(leases(node)).toEqual(leasesOf(gone, "10.1.0.2", "fd00:1::2"));
      await node.run("audit", "--fix", `--gone=${gone.id}`);
      expect(leases(node)).toEqual({});
    });

    it("takes leases from before us for no leak", async () => {
      const node = await make();
      addressesIn(await node.hostLocal("ADD", strange));
      expect(await node.run("audit")).toMatchObject({
        exitCode: 0,
        stdout: "",
        stderr: expect.stringMatching(/^nothing has leaked; 1 more can't be judged/),
      });
      await node.attach(live);
      expect(await node.run("audit")).toMatchObject({ exitCode: 0, stdout: "" });
      // Who knows better can say so.
      expect(await node.run("audit", "--fix", `--gone=${strange}`)).toMatchObject({ exitCode: 0 });
      expect([leases(node), records(node)]).toEqual([
        leasesOf(live, "10.1.0.3", "fd00:1::2"),
        [`${live.id}:eth0`],
      ]);
    });

    it("takes the record of an ADD that is at work for no leak", async () => {
      const node = await make();
      await node.attach(live);
      await node.attach(both);
      expectSilence(await node.hostLocal("DEL", both.id));
      expect(await node.run("audit")).toMatchObject({ exitCode: 0, stdout: "" });
    });

    it("doesn't miss leases of another delegate than host-local", async () => {
      const node = await make();
      await node.attach(live);
      await loseLease(node, live);
      editJson(node.recordOf(live), { delegate: "whereabouts" });
      expect(await node.run("audit")).toMatchObject({ exitCode: 0, stdout: "" });
    });

    it("says why it couldn't free, where there is no host-local", async () => {
      const node = await make();
      await node.attach(dead);
      makeDead(node, dead);
      const { exitCode, stdout, stderr } = await node.run("audit", "--fix", "--cni-path=/nowhere");
      expect(exitCode).toBe(1);
      expect(stdout).toMatch(/could not be freed: delegate plugin host-local not found/);
      expect(stderr).toContain("looked in /nowhere");
      expect(leases(node)).toEqual(leasesOf(dead, "10.1.0.2", "fd00:1::2"));
      // It is as dead as before, and freed once there is one.
      expect(await node.run("audit", "--fix")).toMatchObject({ exitCode: 0 });
      expect([leases(node), records(node)]).toEqual([{}, []]);
    });

    it("of one that is attached anew at the same time, what it has then stays its own", {
      timeout: 120_000,
    }, async () => {
      const node = await make();
      await node.attach(live);
      for (let round = 0; round < 8; round++) {
        await node.attach(dead);
        makeDead(node, dead);
        const fixing = node.run("audit", "--fix");
        // It looks twice, half a second apart; then it frees.
        await pause(450 + round * 40);
        const added = await node.call("ADD", dead);
        const fixed = await fixing;
        const own = added.exitCode === 0 ? addressesIn(added) : [];
        expect(refusal(added), wordsOf(added)).toMatch(
          /^$|already has|another (?:ADD is at work|call frees what was held)/,
        );
        expect(leases(node), wordsOf(fixed)).toEqual({
          ...leasesOf(live, "10.1.0.2", "fd00:1::2"),
          ...leasesOf(dead, ...own),
        });
        expectSilence(await node.call("DEL", dead));
      }
    });

    it("frees what the Node had put into another dataDir, under node-annotation", async () => {
      const elsewhere = "/var/lib/cni/elsewhere";
      const body = `ranges: [[{subnet: "10.9.0.0/24"}]], dataDir: "${elsewhere}"`;
      const node = await makeAnnotatedNode(server, subject, body);
      const run = (...words: string[]) =>
        callPlugin({
          command: withMounts({ "/var/lib/cni": node.varLibCni }, [
            ...subject.executable.command("kube-node"),
            ...words,
          ]),
          env: { CNI_PATH: node.worker.path },
        });
      const far = () => listLeases(join(node.varLibCni, "elsewhere/mynet"));
      expect(await node.add()).toEqual(["10.9.0.2"]);
      expect((await run("show")).stdout).toMatch(/^mynet +10\.9\.0\.2 +- +c1 +eth0 .* unknown$/m);
      editJson(join(node.varLibCni, "networks/.kube-node/mynet/attachments/c1:eth0"), { bootID: "earlier" });
      expect(far()).toEqual({ "10.9.0.2": "c1 eth0" });
      expect(await run("audit", "--fix")).toMatchObject({ exitCode: 0 });
      expect([far(), node.records()]).toEqual([{}, []]);
    });
  });
});

describeSubjects("kube-node audit -o json", (subject) => {
  describe.skipIf(lack.some)(`on a machine with pods${lack.words}`, () => {
    it("says it to scripts, in a shape that stays", async () => {
      const node = await makeOperatorsNode(server, subject, spec);
      await node.attach(live);
      await node.attach(dead);
      editJson(node.recordOf(dead), { bootID: "an earlier one" });
      const leak = {
        network: "net1",
        dataDir: "/var/lib/cni/networks",
        leak: "dead",
        subject: "10.1.0.3 fd00:1::3",
        containerID: dead.id,
        interface: "eth0",
        pod: { namespace: "shop", name: "cart-0", uid: "uid-cart-0" },
        reason: "it is of an earlier boot",
        freeable: true,
        error: null,
      };
      expect(await node.run("audit", "-o", "json")).toMatchObject({
        exitCode: 1,
        json: { leaks: [leak], freed: [] },
      });
      expect(await node.run("audit", "--fix", "-o", "json")).toMatchObject({
        exitCode: 0,
        json: { leaks: [], freed: [leak] },
      });
      expect(await node.run("audit", "-o", "json")).toMatchObject({
        exitCode: 0,
        json: { leaks: [], freed: [] },
      });
      expect(Object.keys(listLeases(join(node.stores, "net1")))).toEqual(["10.1.0.2", "fd00:1::2"]);
    });
  });
});

function refusal({ json, exitCode }: PluginAnswer): string {
  return exitCode === 0 ? "" : ((json as { msg: string }).msg ?? "");
}
