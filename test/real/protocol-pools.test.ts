// A network of a pool's: what pods are told of a block's addresses, whatever host-local makes of them.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { beginOutage } from "./parts/outage.ts";
import { makePooledWorker, type Pool } from "./parts/pooled-worker.ts";
import { privateMounts } from "./parts/private-mounts.ts";
import { describeHostLocals, describeSubjects } from "./parts/subjects.ts";
import type { Difference } from "./parts/worker.ts";

const lack = whatLacks(privateMounts());
const gateway = "10.1.0.1";
const block = { subnet: "10.1.0.0/16", ranges: ["10.1.0.1-10.1.0.4"], gateway };
const v6 = { subnet: "fd00:1::/64", ranges: ["fd00:1::1-fd00:1::4"], gateway: "fd00:1::1" };
const ofPool = { pool: "a" };

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

type Result = { ips: { address: string; gateway?: string }[]; routes?: object[] };

describeSubjects("a pool", (subject) => {
  const make = async (...pools: Pool[]) => {
    const worker = await makePooledWorker(server, subject);
    for (const pool of pools) await worker.give(pool);
    const ask = async (difference: Difference = {}) =>
      (await worker.call("ADD", { ipam: ofPool, ...difference })).json as Result;
    return { ...worker, ask };
  };

  describe.skipIf(lack.some)(`gives its block's addresses${lack.words}`, () => {
    it("with the pool's prefix length and gateway, and frees them when the pool is gone", async () => {
      const worker = await make({ blocks: [block] });
      expect((await worker.ask()).ips).toEqual([{ address: "10.1.0.2/16", gateway }]);
      await worker.pass("CHECK", { ipam: ofPool });
      expect(worker.leases()).toEqual({ "10.1.0.2": "c1 eth0" });
      await worker.annotate("ippool.ipam.kube-node.io/a", null);
      await worker.pass("CHECK", { ipam: ofPool });
      await worker.pass("DEL", { ipam: ofPool });
      expect([worker.leases(), worker.records()]).toEqual([{}, []]);
    });

    it("of a CIDRPool, by nv-ipam's keys, in any letter case", async () => {
      const worker = await make({ kind: "CIDRPool", name: "b", blocks: [block] });
      const ipam = { poolName: "b", poolType: "CidrPool" };
      expect(await worker.add({ ipam })).toEqual(["10.1.0.2"]);
    });

    it("of the pool of the network's name, where only the kind is said", async () => {
      const worker = await make({ name: "net1", blocks: [block] });
      expect(await worker.add({ ipam: { poolType: "ippool" } })).toEqual(["10.1.0.2"]);
    });

    it("where there is no gateway, host-local's own choice of one is in nobody's way", async () => {
      const worker = await make({ blocks: [{ subnet: "10.1.0.0/24", ranges: ["10.1.0.1-10.1.0.2"] }] });
      expect((await worker.ask()).ips).toEqual([{ address: "10.1.0.1/24" }]);
      expect((await worker.ask({ id: "c2" })).ips).toEqual([{ address: "10.1.0.2/24" }]);
      expect(await worker.fail("ADD", { ipam: ofPool, id: "c3" })).toMatchObject({
        msg: expect.stringContaining("no IP addresses available"),
      });
    });

    it.each([
      ["/31", { subnet: "10.1.0.10/31", ranges: ["10.1.0.10-10.1.0.11"] }, ["10.1.0.10/31", "10.1.0.11/31"]],
      [
        "/31 in a wider pool",
        { subnet: "10.1.0.8/31", ranges: ["10.1.0.8-10.1.0.9"] },
        ["10.1.0.8/31", "10.1.0.9/31"],
      ],
      ["/32", { subnet: "10.1.0.10/32", ranges: ["10.1.0.10-10.1.0.10"] }, ["10.1.0.10/32"]],
      [
        "/127",
        { subnet: "fd00:1::a/127", ranges: ["fd00:1::a-fd00:1::b"] },
        ["fd00:1::a/127", "fd00:1::b/127"],
      ],
      ["/128", { subnet: "fd00:1::b/128", ranges: ["fd00:1::b-fd00:1::b"] }, ["fd00:1::b/128"]],
    ])("of a block of %s, all of them", async (_, small, addresses) => {
      const worker = await make({ blocks: [small] });
      for (const [index, address] of addresses.entries())
        expect((await worker.ask({ id: `c${index}` })).ips).toEqual([{ address }]);
      await worker.fail("ADD", { ipam: ofPool, id: "more" });
      for (const index of addresses.keys()) await worker.pass("DEL", { ipam: ofPool, id: `c${index}` });
      expect(worker.leases()).toEqual({});
    });

    it.each([
      ["/31", "10.1.0.10/31", ["10.1.0.10", "10.1.0.11"]],
      ["/127", "fd00:1::a/127", ["fd00:1::a", "fd00:1::b"]],
    ] as const)("of a %s with a gateway, the other one", async (_, subnet, [gateway, other]) => {
      const worker = await make({
        ...{ kind: "CIDRPool", blocks: [{ subnet, ranges: [`${gateway}-${other}`], gateway }] },
      });
      const ipam = { ...ofPool, poolType: "cidrpool" };
      const prefix = subnet.slice(subnet.indexOf("/"));
      expect((await worker.ask({ ipam })).ips).toEqual([{ address: `${other}${prefix}`, gateway }]);
      await worker.fail("ADD", { ipam, id: "c2" });
    });

    it("but for those that are excluded", async () => {
      const ranges = ["10.1.0.1-10.1.0.2", "10.1.0.5-10.1.0.5", "10.1.0.9-10.1.0.10"];
      const worker = await make({ blocks: [{ ...block, ranges }] });
      const all = ["10.1.0.2", "10.1.0.5", "10.1.0.9", "10.1.0.10"];
      for (const [index, address] of all.entries())
        expect(await worker.add({ ipam: ofPool, id: `c${index}` })).toEqual([address]);
      await worker.fail("ADD", { ipam: ofPool, id: "more" });
    });

    it("of each of two pools, or of none", async () => {
      const names = { pool: "v4pool, v6pool" };
      const worker = await make({ name: "v4pool", blocks: [block] });
      expect(await worker.fail("ADD", { ipam: names })).toMatchObject({
        code: 103,
        msg: `Node ${worker.name} has no block of IPPool v6pool (annotation ippool.ipam.kube-node.io/v6pool)`,
      });
      expect([worker.leases(), worker.records()]).toEqual([{}, []]);
      await worker.give({ name: "v6pool", blocks: [{ ...v6, ranges: ["fd00:1::2-fd00:1::2"] }] });
      expect(await worker.add({ ipam: names })).toEqual(["10.1.0.2", "fd00:1::2"]);
      await worker.fail("ADD", { ipam: names, id: "c2" });
      expect(Object.values(worker.leases())).toEqual(["c1 eth0", "c1 eth0"]);
      expect(worker.records()).toEqual(["c1:eth0"]);
    });

    it("by namespace, as any other", async () => {
      const worker = await make({ name: "v4", blocks: [block] }, { name: "v6", blocks: [v6] });
      const ipam = { pool: "v4,v6", "ipv4-namespaces": ["db"] };
      expect(await worker.add({ ipam, namespace: "web" })).toEqual(["fd00:1::2"]);
      expect(await worker.add({ ipam, namespace: "db", id: "c2" })).toEqual(["10.1.0.2", "fd00:1::3"]);
    });

    it("and routes through its gateway; the configuration's own go before them", async () => {
      const routes = [{ dst: "192.0.2.0/24" }, { dst: "198.51.100.0/24" }];
      const worker = await make({ blocks: [block], routes, defaultGateway: true });
      const own = { dst: "198.51.100.0/24", gw: "10.1.0.9" };
      const ipam = { ...ofPool, routes: [own] };
      const through = (dst: string) => ({ dst, gw: gateway });
      expect((await worker.ask({ ipam })).routes).toEqual([
        own,
        through("0.0.0.0/0"),
        through("192.0.2.0/24"),
      ]);
    });

    it("that a pod's args name, before the configuration's", async () => {
      const worker = await make({ blocks: [block] }, { kind: "CIDRPool", name: "b", blocks: [v6] });
      const args = { cni: { poolNames: ["b"], poolType: "cidrpool" } };
      expect(await worker.add({ ipam: ofPool, config: { args } })).toEqual(["fd00:1::2"]);
      await worker.pass("DEL", { ipam: ofPool, config: { args } });
      expect(await worker.fail("ADD", { config: { args } })).toMatchObject({
        code: 7,
        msg: "args.cni.poolNames names pools of a network that has none",
      });
    });

    it("that a pod asks for: runtimeConfig before args before CNI_ARGS", async () => {
      const worker = await make({ blocks: [{ ...block, ranges: ["10.1.0.1-10.1.0.9"] }] });
      const runtimeConfig = { ips: ["10.1.0.5/24"] };
      const args = { cni: { ips: ["10.1.0.6/24"] } };
      const env = "IgnoreUnknown=1;IP=10.1.0.7";
      const call = (id: string, config: object) => worker.ask({ id, args: env, config: { ...config } });
      expect((await call("c1", { runtimeConfig, args })).ips).toEqual([{ address: "10.1.0.5/16", gateway }]);
      expect((await call("c2", { args })).ips).toEqual([{ address: "10.1.0.6/16", gateway }]);
      expect((await call("c3", {})).ips).toEqual([{ address: "10.1.0.7/16", gateway }]);
      expect((await worker.ask({ id: "c4" })).ips).toEqual([{ address: "10.1.0.8/16", gateway }]);
      for (const id of ["c1", "c2", "c3", "c4"])
        await worker.pass("DEL", { ipam: ofPool, id, args: env, config: { runtimeConfig, args } });
      expect(worker.leases()).toEqual({});
    });

    it("at an index of the block, and the gateway to who asks for it", async () => {
      const ranges = ["10.1.0.1-10.1.0.2", "10.1.0.4-10.1.0.9"];
      const worker = await make({ blocks: [{ ...block, ranges }] });
      const by = (cni: object) => ({ ipam: ofPool, config: { args: { cni } } });
      expect((await worker.ask(by({ allocateIPWithIndex: 4 }))).ips).toEqual([
        { address: "10.1.0.5/16", gateway },
      ]);
      expect((await worker.ask({ ...by({ allocateDefaultGateway: true }), id: "gw" })).ips).toEqual([
        { address: "10.1.0.1/16" },
      ]);
      expect(worker.leases()).toEqual({ "10.1.0.1": "gw eth0", "10.1.0.5": "c1 eth0" });
      const refused = async (cni: object) => await worker.fail("ADD", { ...by(cni), id: "c2" });
      for (const index of [2, 9])
        expect(await refused({ allocateIPWithIndex: index })).toMatchObject({
          code: 106,
          msg: `there is no address at index ${index} of Node ${worker.name}'s block of IPPool a`,
        });
      expect(await refused({ allocateIPWithIndex: 0 })).toMatchObject({
        code: 106,
        msg: "10.1.0.1 is the gateway of IPPool a",
      });
      expect(await refused({ allocateIPWithIndex: 4, allocateDefaultGateway: true })).toMatchObject({
        code: 7,
        msg: expect.stringContaining("exclude one another"),
      });
      expect(worker.records()).toEqual(["c1:eth0", "gw:eth0"]);
    });

    it("and none outside of the block, whatever a pod asks for", async () => {
      const worker = await make({ blocks: [{ ...block, ranges: ["10.1.0.1-10.1.0.4"] }] });
      const refused = (ips: string[]) =>
        worker.fail("ADD", { ipam: ofPool, config: { args: { cni: { ips } } } });
      expect(await refused(["10.1.0.9"])).toMatchObject({
        code: 106,
        msg: `10.1.0.9 is not in Node ${worker.name}'s block of IPPool a`,
        details: "args.cni.ips asks for it; the Node has 10.1.0.1-10.1.0.4/16",
      });
      expect(await refused(["10.1.0.1"])).toMatchObject({
        code: 106,
        msg: "10.1.0.1 is the gateway of IPPool a",
      });
      expect(await refused(["fish"])).toMatchObject({ code: 7 });
      expect([worker.leases(), worker.records()]).toEqual([{}, []]);
    });
  });

  describe.skipIf(lack.some)(`gives none${lack.words}`, () => {
    const refused: [what: string, pool: Pool, words: string][] = [
      ["of another Node's", { nodeUID: "earlier", blocks: [block] }, "is another Node's"],
      [
        "of blocks that are all closing",
        { blocks: [{ ...block, closing: true }] },
        "gives its block of IPPool a back",
      ],
      ["of a block without any", { blocks: [{ ...block, ranges: [] }] }, "without addresses for pods"],
      ["of no block", { blocks: [] }, "without addresses for pods"],
    ];
    it.each(refused)("%s", async (_, pool, words) => {
      const worker = await make(pool);
      expect(await worker.fail("ADD", { ipam: ofPool })).toMatchObject({
        code: 103,
        msg: expect.stringContaining(words),
      });
      await worker.pass("DEL", { ipam: ofPool });
    });

    it("of a block that is closing beside an open one", async () => {
      const open = { subnet: "10.1.0.0/16", ranges: ["10.1.0.9-10.1.0.9"] };
      const worker = await make({ blocks: [{ ...block, closing: true }, open] });
      expect(await worker.add({ ipam: ofPool })).toEqual(["10.1.0.9"]);
      await worker.fail("ADD", { ipam: ofPool, id: "c2" });
    });

    it("where the annotation is malformed, and says where", async () => {
      const worker = await make();
      await worker.annotate("ippool.ipam.kube-node.io/a", '{"version": 1');
      expect(await worker.fail("ADD", { ipam: ofPool })).toMatchObject({
        code: 103,
        msg: `annotation ippool.ipam.kube-node.io/a of Node ${worker.name} is malformed`,
        details: expect.stringContaining("at character 14"),
      });
    });

    it("where a pool stands beside an annotation", async () => {
      const worker = await make();
      expect(await worker.fail("ADD", { ipam: { ...ofPool, annotation: "k" } })).toMatchObject({
        code: 7,
        details:
          "ipam.pool: beside annotation: the ranges come from a pool or from an annotation, so write one of them",
      });
      await worker.pass("DEL", { ipam: { ...ofPool, annotation: "k" } });
    });
  });
});

describeHostLocals("a pool, in each CNI version", (subject) => {
  const flat = { ip: "10.1.0.2/31", gateway: "10.1.0.3", routes: [{ dst: "0.0.0.0/0", gw: "10.1.0.3" }] };
  const { ip: address, routes } = flat;
  const old = { ips: [{ version: "4", address, gateway: flat.gateway }], routes };
  const now = { ips: [{ address, gateway: flat.gateway }], routes };
  const shapes = {
    "0.1.0": { ip4: flat },
    "0.2.0": { ip4: flat },
    "0.3.0": old,
    "0.3.1": old,
    "0.4.0": old,
    "1.0.0": now,
    "1.1.0": now,
  };

  it.skipIf(lack.some).each(Object.entries(shapes))(`%s${lack.words}`, async (cniVersion, shape) => {
    const worker = await makePooledWorker(server, subject);
    const small = { subnet: "10.1.0.2/31", ranges: ["10.1.0.2-10.1.0.3"], gateway: "10.1.0.3" };
    await worker.give({ blocks: [small], defaultGateway: true });
    const call = { ipam: ofPool, config: { cniVersion } };
    const { dns: _, ...result } = (await worker.call("ADD", call)).json as Record<string, unknown>;
    expect(result).toEqual({ cniVersion, ...shape });
    await worker.pass("DEL", call);
    expect(worker.leases()).toEqual({});
  });
});

const machineID = readFirstLine("/etc/machine-id");
const lackOfAgent = whatLacks(privateMounts(), machineID === "" ? { missing: "/etc/machine-id" } : {});

describeHostLocals("a pool's blocks", (subject) => {
  const hour = 3600;
  const make = async (holdsFor = 12 * hour) => {
    const worker = await makePooledWorker(server, subject);
    await worker.give({ blocks: [block], holdsFor });
    return worker;
  };
  type Pooled = Awaited<ReturnType<typeof make>>;
  const kept = (worker: Pooled) => join(worker.state(), "ranges-IPPool%20a");
  /** As if the answer that is kept had been given otherwise. */
  function age(worker: Pooled, change: (answer: { at: number; time: string }) => object): void {
    const answer = JSON.parse(readFileSync(kept(worker), "utf8"));
    writeFileSync(kept(worker), JSON.stringify({ ...answer, ...change(answer) }));
  }
  const expired = { code: 105, msg: expect.stringContaining("the blocks of IPPool a hold no longer") };

  const ages: [when: string, change: (answer: { at: number; time: string }) => object, works: boolean][] = [
    ["11 h ago", ({ at }) => ({ at: at - 11 * hour }), true],
    ["13 h ago", ({ at }) => ({ at: at - 13 * hour }), false],
    ["in a time to come", ({ at }) => ({ at: at + hour }), false],
    ["in an earlier boot, 13 h before now", () => ({ bootID: "earlier", time: ago(13 * hour) }), false],
    ["in an earlier boot, at a time to come", () => ({ bootID: "earlier", time: ago(-hour) }), false],
    ["in an earlier boot, within this one", () => ({ bootID: "earlier", time: ago(0) }), false],
    ["in an earlier boot, at no time", () => ({ bootID: "earlier", time: "" }), false],
  ];
  it.skipIf(lack.some).each(ages)(
    `of which the API server spoke %s${lack.words}`,
    async (_, change, works) => {
      const worker = await make();
      await worker.add({ ipam: ofPool });
      age(worker, change);
      await beginOutage(server);
      if (works) expect(await worker.add({ ipam: ofPool, id: "c2" })).toEqual(["10.1.0.3"]);
      else expect(await worker.fail("ADD", { ipam: ofPool, id: "c2" })).toMatchObject(expired);
      expect(await worker.fail("ADD", { ipam: { ...ofPool, cacheTTL: 1e6 }, id: "c1" })).toMatchObject(
        works ? { code: 101 } : expired,
      );
      await worker.pass("DEL", { ipam: ofPool });
      await server.fault(null);
      expect(await worker.add({ ipam: ofPool, id: "c3" })).toHaveLength(1);
    },
  );

  it.skipIf(lack.some)(`hold over a reboot for the time that the clock says${lack.words}`, async () => {
    const holdsFor = Math.ceil(uptime()) + hour;
    const worker = await make(holdsFor);
    await worker.add({ ipam: ofPool });
    await beginOutage(server);
    age(worker, () => ({ bootID: "earlier", time: ago(uptime() + 60) }));
    expect(await worker.add({ ipam: ofPool, id: "c2" })).toEqual(["10.1.0.3"]);
  });

  it.skipIf(lack.some)(`that are a person's annotation don't expire${lack.words}`, async () => {
    const worker = await make();
    await worker.annotate("k", "10.9.0.0/24");
    const ipam = { annotation: "k" };
    await worker.add({ ipam });
    await beginOutage(server);
    const path = join(worker.state(), "ranges-annotation%20k");
    const answer = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ ...answer, at: answer.at - 1000 * hour }));
    expect(await worker.add({ ipam, id: "c2" })).toEqual(["10.9.0.3"]);
  });

  it.skipIf(lackOfAgent.some)(
    `are known by the agent's word, too, for as long${lackOfAgent.words}`,
    async () => {
      const worker = await make();
      const node = await server.getNode(worker.name);
      const { uid, annotations } = node?.metadata ?? {};
      const own = { name: worker.name, uid, machineID, podCIDRs: [], annotations };
      const folder = join(worker.machine.run, "kube-node");
      const put = (name: string, content: object) =>
        writeFileSync(join(folder, name), JSON.stringify(content));
      mkdirSync(folder);
      put("node.json", { version: 1, node: own });
      put("alive", { bootID: readFirstLine("/proc/sys/kernel/random/boot_id"), heardAt: uptime() });
      await beginOutage(server);
      expect(await worker.add({ ipam: ofPool })).toEqual(["10.1.0.2"]);
      put("alive", { bootID: "earlier", heardAt: 0 }); // The agent is dead.
      expect(await worker.add({ ipam: ofPool, id: "c2" })).toEqual(["10.1.0.3"]);
      age(worker, ({ at }) => ({ at: at - 13 * hour }));
      expect(await worker.fail("ADD", { ipam: ofPool, id: "c3" })).toMatchObject(expired);
      await server.fault(null);
      expect(await worker.add({ ipam: ofPool, id: "c3" })).toEqual(["10.1.0.4"]);
    },
  );

  it.skipIf(lack.some)(
    `are of the machine alone whose Node it is, whoever names it${lack.words}`,
    async () => {
      const worker = await makePooledWorker(server, subject, { machineID: "another" });
      await worker.give({ blocks: [block] });
      expect(await worker.fail("ADD", { ipam: { ...ofPool, nodeName: worker.name } })).toMatchObject({
        code: 102,
        msg: `Node ${worker.name} has another machine-id than this machine`,
      });
      expect(worker.leases()).toEqual({});
    },
  );

  it.skipIf(lack.some)(
    `are noted to lie in a folder of its own, before anything lies there${lack.words}`,
    async () => {
      const worker = await make();
      await worker.add({ ipam: ofPool });
      const noted = join(
        worker.machine.cni,
        "networks/.kube-node/.data-dirs",
        encodeURIComponent(worker.dataDir),
      );
      expect(existsSync(noted) && readFileSync(noted, "utf8")).toBe(worker.dataDir);
    },
  );
});

function ago(seconds: number): string {
  return new Date(Date.now() - seconds * 1000).toISOString();
}

function uptime(): number {
  return Number.parseFloat(readFirstLine("/proc/uptime"));
}

function readFirstLine(path: string): string {
  try {
    return readFileSync(path, "utf8").split("\n")[0] ?? "";
  } catch {
    return "";
  }
}
