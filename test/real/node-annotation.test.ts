// node-annotation as a runtime calls it: the original's ways, kept.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { callPlugin } from "../parts/plugin.ts";
import { whatLacks } from "../parts/tools.ts";
import { key, makeAnnotatedNode } from "./parts/annotated-node.ts";
import { addressesIn } from "./parts/answers.ts";
import { beginOutage } from "./parts/outage.ts";
import { privateMounts } from "./parts/private-mounts.ts";
import { putRecorder } from "./parts/recorder.ts";
import { listLeases } from "./parts/store.ts";
import { describeSubjects, onlyCompiled, rowsFor, type Subject } from "./parts/subjects.ts";

const lack = whatLacks(privateMounts());
const body = 'ranges: [[{subnet: "172.16.5.0/24"}]]';

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

/** Bodies as people write them, and the first addresses that they give. */
const bodies: [what: string, body: string, addresses: string[]][] = [
  ["bare keys", body, ["172.16.5.2"]],
  ["quoted keys", '"ranges": [[{"subnet": "16.0.0.0/24"}]]', ["16.0.0.2"]],
  [
    "both kinds of keys, and lines",
    'ranges: [\n  [{"subnet": "16.0.0.0/24",\n    rangeStart: "16.0.0.9"}]\n]\n',
    ["16.0.0.9"],
  ],
  [
    "two families, IPv6 with a dotted quad",
    '"ranges": [\n [{ "subnet":"4000::16.0.0.0/120", "rangeStart":"4000::16.0.0.0" , "rangeEnd":"4000::16.0.0.7"}],\n' +
      ' [{ "subnet":"16.0.0.0/24", "rangeStart":"16.0.0.0" , "rangeEnd":"16.0.0.7"}]\n]',
    ["4000::1000:0", "16.0.0.0"],
  ],
  [
    "entries that aren't nested",
    '"ranges": [{ "subnet": "4000::16.0.0.0/120" }, { "subnet": "16.0.0.0/24" }]',
    ["4000::1000:2", "16.0.0.2"],
  ],
  [
    "entries nested and not",
    'ranges: [{subnet: "16.0.0.0/24"}, [{subnet: "fd00:1::/64"}]]',
    ["16.0.0.2", "fd00:1::2"],
  ],
  [
    "the old form of one range",
    'subnet: "16.0.0.0/24", rangeStart: "16.0.0.5", gateway: "16.0.0.9"',
    ["16.0.0.5"],
  ],
  [
    "mended: the word null in a value",
    'ranges: [[{subnet: "16.0.0.0/24"}]], note: "null and void", x: null',
    ["16.0.0.2"],
  ],
];

/** The ADD that the original's host-local got, with the body in the place of `ipam`. */
function originalsCall(hostLocal: Subject["hostLocal"], id: string, dataDir: string) {
  const ipam = { type: "host-local", ranges: [[{ subnet: "172.16.5.0/24" }]], dataDir };
  return {
    ...{ command: [hostLocal.path], verb: "ADD", containerID: id, ifname: "eth0" },
    ...{ netns: "/var/run/netns/none", path: hostLocal.folder },
    stdin: { cniVersion: "1.0.0", name: "mynet", ipam },
  };
}

describeSubjects("node-annotation", (subject) => {
  const itCompiled = onlyCompiled(subject);

  describe.skipIf(lack.some)(`over host-local${lack.words}`, () => {
    const make = (text?: string) => makeAnnotatedNode(server, subject, text);

    it.each(rowsFor(subject, bodies))("takes a body with %s", async (_, text, addresses) => {
      const node = await make(text);
      expect(await node.add()).toEqual(addresses);
      expect(Object.keys(node.leases()).sort()).toEqual([...addresses].sort());
      await node.pass("DEL");
      expect([node.leases(), node.records()]).toEqual([{}, []]);
    });

    it("needs no top-level type, as the original's examples have none: ADD, DEL", async () => {
      const node = await make(body);
      const config = { type: undefined };
      expect(await node.add({ config })).toEqual(["172.16.5.2"]);
      await node.pass("DEL", { config });
      expect([node.leases(), node.records()]).toEqual([{}, []]);
    });

    it("ADD, CHECK, DEL, GC and STATUS, of CNI 1.1.0", async () => {
      const node = await make(body);
      const config = { cniVersion: "1.1.0" };
      await node.pass("STATUS", { config });
      expect((await node.call("ADD", { config })).json).toMatchObject({
        cniVersion: "1.1.0",
        ips: [{ address: "172.16.5.2/24", gateway: "172.16.5.1" }],
      });
      expect(await node.fail("ADD", { config })).toMatchObject({ code: 101, cniVersion: "1.1.0" });
      await node.pass("CHECK", { config });
      expect(await node.add({ config, id: "c2" })).toEqual(["172.16.5.3"]);
      const valid = [{ containerID: "c1", ifname: "eth0" }];
      await node.pass("GC", { config: { ...config, "cni.dev/valid-attachments": valid } });
      expect([node.leases(), node.records()]).toEqual([{ "172.16.5.2": "c1 eth0" }, ["c1:eth0"]]);
      for (const id of ["c1", "c1", "c2"]) await node.pass("DEL", { config, id });
      expect([node.leases(), node.records()]).toEqual([{}, []]);
    });

    itCompiled("the result has an old version's shape", async () => {
      const node = await make(body);
      const { json } = await node.call("ADD", { config: { cniVersion: "0.3.1" } });
      expect(json).toMatchObject({
        cniVersion: "0.3.1",
        ips: [{ version: "4", address: "172.16.5.2/24", gateway: "172.16.5.1" }],
      });
    });

    it("the delegate gets ipam made anew, and the rest of the configuration as it is", async () => {
      const node = await make(
        'ranges: [[{subnet: "16.0.0.0/24"}]], "routes": [{dst: "192.168.0.0/16"}], own: {a: [1, null]}',
      );
      const recorder = putRecorder(node.worker, subject, "recorder");
      const config = {
        mtu: 1400,
        args: { cni: { ips: ["16.0.0.7"] } },
        runtimeConfig: { mac: "c2:11:22:33:44:55" },
      };
      const nextipam = join(node.worker.bin, "recorder");
      expect(
        await node.add({ config, ipam: { extra: 1, nodeName: node.worker.name }, file: { nextipam } }),
      ).toEqual(["16.0.0.7"]);
      expect(recorder.stdin("ADD")).toEqual({
        cniVersion: "1.0.0",
        name: "mynet",
        type: "ipvlan",
        master: "eth0",
        ...config,
        ipam: {
          type: "recorder",
          ranges: [[{ subnet: "16.0.0.0/24" }]],
          routes: [{ dst: "192.168.0.0/16" }],
          own: { a: [1, null] },
        },
      });
    });

    it("the body's keys win over type, and may name a dataDir", async () => {
      const node = await make();
      const dataDir = join(node.worker.folder, "leases");
      await node.worker.annotate(key, `${body}, type: "mine", dataDir: ${JSON.stringify(dataDir)}`);
      const recorder = putRecorder(node.worker, subject, "recorder");
      const file = { nextipam: "recorder" };
      expect(await node.add({ file })).toEqual(["172.16.5.2"]);
      expect(recorder.stdin("ADD")["ipam"]).toMatchObject({ type: "mine", dataDir });
      expect(existsSync(join(dataDir, "mynet/172.16.5.2"))).toBe(true);
      await node.worker.annotate(key, null);
      await node.pass("DEL", { file });
      expect(existsSync(join(dataDir, "mynet/172.16.5.2"))).toBe(false);
    });

    it("a pod of the original's, in a dataDir that only the body names, is freed by a DEL that comes before any ADD", async () => {
      const node = await make();
      const dataDir = join(node.worker.folder, "leases");
      await node.worker.annotate(key, `${body}, dataDir: ${JSON.stringify(dataDir)}`);
      const before = (id: string) => callPlugin(originalsCall(subject.hostLocal, id, dataDir));
      for (const id of ["c1", "c2"]) addressesIn(await before(id));
      const leases = () => Object.values(listLeases(join(dataDir, "mynet"))).sort();
      expect(leases()).toEqual(["c1 eth0", "c2 eth0"]);
      await node.pass("DEL", { id: "c1" });
      expect(leases()).toEqual(["c2 eth0"]);
      // From then on it is known, without the API server.
      await beginOutage(server);
      await node.pass("DEL", { id: "c2" });
      expect(leases()).toEqual([]);
    });

    it("a DEL of a network of which nothing is known succeeds where the Node can't be asked, and soon", async () => {
      const node = await make(body);
      await beginOutage(server, "blackHole");
      const before = performance.now();
      await node.pass("DEL");
      expect(performance.now() - before).toBeLessThan(10_000);
    });

    itCompiled("entries that aren't nested go to another delegate as they are", async () => {
      const node = await make('ranges: [{subnet: "16.0.0.0/24"}]');
      const recorder = putRecorder(node.worker, subject, "own-ipam");
      await node.fail("ADD", { file: { nextipam: "own-ipam" } }); // Which is host-local, and takes no such thing.
      expect(recorder.stdin("ADD")["ipam"]).toEqual({
        type: "own-ipam",
        ranges: [{ subnet: "16.0.0.0/24" }],
      });
    });

    it("gates IPv4 by namespace, for free", async () => {
      const node = await make('ranges: [{subnet: "16.0.0.0/24"}, {subnet: "fd00:1::/64"}]');
      const ipam = { "ipv4-namespaces": ["db"] };
      expect(await node.add({ ipam, namespace: "web" })).toEqual(["fd00:1::2"]);
      expect(await node.add({ ipam, namespace: "db", id: "c2" })).toEqual(["16.0.0.2", "fd00:1::3"]);
    });

    itCompiled("gates the old form of one range, and other spellings of its keys, as well", async () => {
      for (const text of ['subnet: "16.0.0.0/24"', 'Ranges: [[{subnet: "16.0.0.0/24"}]]']) {
        const node = await make(text);
        const ipam = { "ipv4-namespaces": ["db"] };
        expect(await node.fail("ADD", { ipam, namespace: "web" })).toMatchObject({ code: 104 });
        expect(await node.add({ ipam, namespace: "db" })).toEqual(["16.0.0.2"]);
      }
    });

    it("goes on with last-known ranges, for free", async () => {
      const node = await make(body);
      await node.add();
      await beginOutage(server);
      expect(await node.add({ id: "c2" })).toEqual(["172.16.5.3"]);
      for (const id of ["c1", "c2"]) await node.pass("DEL", { id });
      expect(node.leases()).toEqual({});
    });
  });
});
