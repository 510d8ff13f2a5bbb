// Moving in from nv-ipam, on a node: what its store has is taken over before the first ADD, nothing on doubt, and nothing twice.
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { makeNamespace, removeNamespaces } from "../parts/namespace.ts";
import { namespaces, whatLacks } from "../parts/tools.ts";

import { block, gateway, makeOldMachine } from "./parts/nv-ipam-machine.ts";
import { putLibcniCache } from "./parts/nv-ipam-store.ts";
import { privateMounts } from "./parts/private-mounts.ts";
import { describeHostLocals, describeSubjects } from "./parts/subjects.ts";

const lack = whatLacks(privateMounts(), namespaces());

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeSubjects("moving in from nv-ipam", (subject) => {
  describe.skipIf(lack.some)(`what its store has${lack.words}`, () => {
    it("is taken over before the first ADD, with a record of whose it is, and the store stays as it is", async () => {
      const worker = await makeOldMachine(server, subject, [
        { id: "old1", ip: "10.1.0.2" },
        { id: "old2", ip: "10.1.0.4", pod: "shop/b" },
      ]);
      const pod = makeNamespace("pod");
      onTestFinished(() => removeNamespaces([pod]));
      putLibcniCache(worker.machine.cni, { id: "old1", ip: "10.1.0.2", netns: pod.path });
      expect(await worker.add(worker.as())).toEqual(["10.1.0.5"]);
      expect(worker.leases()).toEqual({
        "10.1.0.2": "old1 net1",
        "10.1.0.4": "old2 net1",
        "10.1.0.5": "c1 net1",
      });
      expect(worker.records()).toEqual(["c1:net1", "old1:net1", "old2:net1"]);
      expect(worker.recordOf("old1")).toMatchObject({
        pod: { namespace: "web", name: "a", uid: "uid-old1" },
        netns: pod.path,
        netnsID: expect.stringMatching(/^\d+:\d+$/),
        delegate: "host-local",
      });
      expect(worker.recordOf("old2")).toMatchObject({ pod: { namespace: "shop", name: "b" } });
      expect(worker.recordOf("old2")).not.toHaveProperty("netns");
      expect(readFileSync(worker.store, "utf8")).toBe(worker.text);
    });

    it("is freed by its DEL, and doesn't come back", async () => {
      const worker = await makeOldMachine(server, subject, [{ id: "old1", ip: "10.1.0.2" }]);
      await worker.add(worker.as());
      await worker.pass("CHECK", worker.as({ id: "old1" }));
      await worker.pass("DEL", worker.as({ id: "old1" }));
      expect(worker.leases()).toEqual({ "10.1.0.3": "c1 net1" });
      await worker.add(worker.as({ id: "c2" }));
      expect(Object.values(worker.leases()).sort()).toEqual(["c1 net1", "c2 net1"]);
    });

    it("ends by a DEL before anything was taken over, and is passed over then", async () => {
      const worker = await makeOldMachine(server, subject, [{ id: "old1", ip: "10.1.0.2" }]);
      await worker.pass("DEL", worker.as({ id: "old1" }));
      expect(await worker.add(worker.as())).toEqual(["10.1.0.2"]);
      expect(worker.records()).toEqual(["c1:net1"]);
    });

    it("is taken over for networks of kube-node's, too, of two pools at once, and the gateway where a pod is it", async () => {
      const v6 = { name: "b", blocks: [{ subnet: "fd00:1::/64", ranges: ["fd00:1::2-fd00:1::9"] }] };
      const entries = [
        { id: "old1", ip: "10.1.0.2" },
        { id: "old1", ip: "fd00:1::2", pool: "b" },
        { id: "router", ip: gateway },
        { id: "other", ip: "10.1.0.3", pool: "c" },
      ];
      const worker = await makeOldMachine(server, subject, entries, { blocks: [block] }, v6);
      expect(await worker.add({ ipam: { pool: "a,b" } })).toEqual(["10.1.0.3", "fd00:1::3"]);
      expect(worker.leases()).toEqual({
        [gateway]: "router net1",
        "10.1.0.2": "old1 net1",
        "10.1.0.3": "c1 eth0",
        "fd00:1::2": "old1 net1",
        "fd00:1::3": "c1 eth0",
      });
      expect(worker.recordOf("old1").ipam.ranges).toHaveLength(2);
    });

    it("of a CIDRPool, and of a block that is closing", async () => {
      const blocks = [
        { ...block, closing: true as const },
        { ...block, ranges: ["10.1.0.20-10.1.0.29"] },
      ];
      const worker = await makeOldMachine(
        server,
        subject,
        [{ id: "old1", ip: "10.1.0.5", pool: "cidrpool/a" }],
        {
          kind: "CIDRPool",
          blocks,
        },
      );
      expect(await worker.add(worker.as({ ipam: { poolType: "CidrPool" } }))).toEqual(["10.1.0.20"]);
      expect(worker.leases()).toMatchObject({ "10.1.0.5": "old1 net1" });
    });

    it("of another network's attachments is left to that one, where libcni knows", async () => {
      const worker = await makeOldMachine(server, subject, [{ id: "old1", ip: "10.1.0.2" }]);
      putLibcniCache(worker.machine.cni, { id: "old1", ip: "10.1.0.2", network: "net2" });
      await worker.add(worker.as());
      expect(worker.records()).toEqual(["c1:net1"]);
    });
  });
});

describeHostLocals("moving in from nv-ipam", (subject) => {
  describe.skipIf(lack.some)(`on doubt nothing is taken over${lack.words}`, () => {
    it("two with one address, one outside of the block, one at another's key: nobody gets their addresses", async () => {
      const worker = await makeOldMachine(server, subject, [
        { id: "twin1", ip: "10.1.0.2" },
        { id: "twin2", ip: "10.1.0.2" },
        { id: "stray", ip: "10.9.9.9" },
        { id: "odd", ip: "10.1.0.3", key: "another_net1" },
        { id: "good", ip: "10.1.0.4" },
      ]);
      expect(await worker.add(worker.as())).toEqual(["10.1.0.5"]);
      expect(worker.leases()).toEqual({ "10.1.0.4": "good net1", "10.1.0.5": "c1 net1" });
      const doubts = worker.note().doubts as { containerID: string; reason: string }[];
      expect(Object.fromEntries(doubts.map(({ containerID, reason }) => [containerID, reason]))).toEqual({
        twin1: "container twin2 has the same address there",
        twin2: "container twin1 has the same address there",
        stray: "it is outside of every block that the Node's annotation shows",
        odd: "it stands at the key of another one, another_net1",
      });
      for (const id of ["c2", "c3", "c4", "c5"]) await worker.add(worker.as({ id }));
      expect(await worker.fail("ADD", worker.as({ id: "c6" }))).toMatchObject({
        msg: expect.stringContaining("no IP addresses available"),
      });
      expect(Object.keys(worker.leases())).not.toContain("10.1.0.2");
      await worker.pass("DEL", worker.as({ id: "twin1" }));
    });

    it.each([
      ["half-written", (text: string) => text.slice(0, -30), /line 1, column \d+: expected/],
      [
        "of another version",
        (text: string) => text.replace('"version":1', '"version":2'),
        /version: expected 1, found 2/,
      ],
      [
        "without an address",
        (text: string) => text.replace("10.1.0.2", "somewhere"),
        /ip_address: expected an IP address/,
      ],
      ["empty", () => "", /line 1, column 1: expected a value/],
    ])("a store that is %s: each ADD fails until it is mended", async (_, spoil, where) => {
      const worker = await makeOldMachine(server, subject, [{ id: "old1", ip: "10.1.0.2" }]);
      writeFileSync(worker.store, spoil(worker.text));
      const failure = await worker.fail("ADD", worker.as());
      expect(failure).toMatchObject({ code: 11, msg: expect.stringContaining("can't be understood") });
      expect(failure.details).toMatch(where);
      expect([worker.leases(), worker.records()]).toEqual([{}, []]);
      await worker.pass("DEL", worker.as({ id: "old2" }));
      writeFileSync(worker.store, worker.text);
      expect(await worker.add(worker.as())).toEqual(["10.1.0.3"]);
    });

    it("while nv-ipam's daemon is at work: with the words what to stop", async () => {
      const worker = await makeOldMachine(server, subject, [{ id: "old1", ip: "10.1.0.2" }]);
      const daemon = createServer().listen(join(worker.machine.cni, "nv-ipam/daemon.sock"));
      onTestFinished(() => void daemon.close());
      expect(await worker.fail("ADD", worker.as())).toMatchObject({
        code: 11,
        msg: "nv-ipam's daemon still gives addresses of network net1's pools",
        details: expect.stringContaining("kubectl -n kube-system delete daemonset nv-ipam-node"),
      });
      await worker.fail("STATUS", worker.as({ config: { cniVersion: "1.1.0" } }));
      await worker.pass("DEL", worker.as({ id: "old2" }));
      // Another network's pool, which nv-ipam has nothing of, goes on beside it.
      await worker.give({ name: "mine", blocks: [{ ...block, ranges: ["10.1.1.2-10.1.1.9"] }] });
      expect(await worker.add({ config: { name: "net9" }, ipam: { pool: "mine" } })).toEqual(["10.1.1.2"]);
      await new Promise((resolve) => daemon.close(resolve));
      expect(await worker.add(worker.as())).toEqual(["10.1.0.3"]);
    });
  });
});

describeHostLocals("moving in from nv-ipam at once", (subject) => {
  it.skipIf(lack.some)(
    `eight ADDs: all that is old is there once, and none of it given anew${lack.words}`,
    async () => {
      const old = Array.from({ length: 20 }, (_, i) => ({ id: `old${i}`, ip: `10.1.0.${2 + i * 2}` }));
      const worker = await makeOldMachine(server, subject, old, {
        blocks: [{ ...block, ranges: ["10.1.0.2-10.1.0.99"] }],
      });
      const given = await Promise.all(
        Array.from({ length: 8 }, (_, i) => worker.add(worker.as({ id: `c${i}` }))),
      );
      expect(new Set(given.flat()).size).toBe(8);
      const holders = Object.values(worker.leases());
      expect(holders.sort()).toEqual(
        [...old.map(({ id }) => `${id} net1`), ...given.map((_, i) => `c${i} net1`)].sort(),
      );
      for (const { id, ip } of old) expect(worker.leases()[ip]).toBe(`${id} net1`);
      expect(worker.records()).toHaveLength(28);
    },
  );
});
