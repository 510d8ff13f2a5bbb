// State that another wrote: a newer release of ours, the original, an administrator's editor.
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { callHostLocal } from "../real/parts/bare-host-local.ts";
import { beginOutage } from "../real/parts/outage.ts";
import { privateMounts, withMounts } from "../real/parts/private-mounts.ts";
import { editJson, listLeases, makeOlderThanBoot } from "../real/parts/store.ts";
import { describeHostLocals } from "../real/parts/subjects.ts";
import { makeWorker, type Worker } from "../real/parts/worker.ts";

const podCIDRs = ["10.1.0.0/24"];
const lack = whatLacks(privateMounts());

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeHostLocals("of a newer release", (subject) => {
  const record = (worker: Worker) => join(worker.state(), "attachments/c1:eth0");
  const newer = {
    version: 2,
    delegate: { name: "host-local" },
    ipam: ["other"],
    uptime: "12 s",
    nonce: { a: 1 },
    more: true,
  };

  /** A live pod c1 whose record only a newer release can read. */
  async function prepare(): Promise<Worker> {
    const worker = await makeWorker(server, subject, { podCIDRs });
    await worker.add();
    editJson(record(worker), newer);
    return worker;
  }

  it("a record: its pod keeps its address, and a second ADD is refused", async () => {
    const worker = await prepare();
    expect(await worker.fail("ADD")).toMatchObject({ code: 101, msg: expect.stringContaining("10.1.0.2") });
    await worker.pass("CHECK");
    expect(await worker.add({ id: "c2" })).toEqual(["10.1.0.3"]);
    expect(worker.leases()).toEqual({ "10.1.0.2": "c1 eth0", "10.1.0.3": "c2 eth0" });
  });

  it("a record: DEL frees what it stands for, and GC too", async () => {
    for (const [verb, config] of [
      ["DEL", {}],
      ["GC", { cniVersion: "1.1.0", "cni.dev/valid-attachments": [] }],
    ] as const) {
      const worker = await prepare();
      await worker.pass(verb, { config });
      expect([worker.leases(), worker.records()]).toEqual([{}, []]);
    }
  });

  it("a record: GC keeps it where its pod is valid, and a full range doesn't free it", async () => {
    const worker = await prepare();
    const valid = [{ containerID: "c1", ifname: "eth0" }];
    await worker.pass("GC", { config: { cniVersion: "1.1.0", "cni.dev/valid-attachments": valid } });
    await worker.annotate("example.com/full", "10.1.0.2-10.1.0.2/24");
    expect(await worker.fail("ADD", { id: "c2", ipam: { annotation: "example.com/full" } })).toMatchObject({
      code: 999,
    });
    expect(worker.leases()).toEqual({ "10.1.0.2": "c1 eth0" });
    expect(JSON.parse(readFileSync(record(worker), "utf8"))).toMatchObject({ version: 2 });
  });

  it("a record of an earlier boot doesn't stop an ADD", async () => {
    const worker = await prepare();
    makeOlderThanBoot(record(worker));
    await worker.add();
    expect(Object.values(worker.leases())).toEqual(["c1 eth0"]);
    await worker.pass("DEL");
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
  });

  it("last-known ranges are none: the API server is asked, and without it nothing is guessed", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    await worker.add();
    editJson(join(worker.state(), "ranges-spec.podCIDRs"), {
      version: 2,
      value: { ranges: ["10.99.0.0/24"] },
    });
    const asked = worker.requests().length;
    expect(await worker.add({ id: "c2" })).toEqual(["10.1.0.3"]);
    expect(worker.requests().length).toBe(asked + 1);
    editJson(join(worker.state(), "ranges-spec.podCIDRs"), { version: 2 });
    await beginOutage(server, "status403");
    expect(await worker.fail("ADD", { id: "c3" })).toMatchObject({ code: 11 });
    for (const id of ["c1", "c2"]) await worker.pass("DEL", { id });
    expect(worker.leases()).toEqual({});
  });

  it("files and folders that we don't know are left alone", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    await worker.add();
    const [file, folder] = [join(worker.state(), "journal-v2"), join(worker.state(), "attachments-v2")];
    writeFileSync(file, "{}");
    mkdirSync(folder);
    await worker.pass("GC", { config: { cniVersion: "1.1.0", "cni.dev/valid-attachments": [] } });
    await worker.add({ id: "c2" });
    expect([readFileSync(file, "utf8"), worker.records()]).toEqual(["{}", ["c2:eth0"]]);
  });
});

/** As Go's encoding/json prints the original's structs (app.go: hostLocalIPAM), without a line end. */
function printCache(subnets: string[], dataDir?: string): string {
  const named = dataDir === undefined ? "" : `"dataDir":${JSON.stringify(dataDir)},`;
  const ranges = subnets.map((subnet) => `[{"subnet":"${subnet}"}]`).join(",");
  return `{"type":"host-local",${named}"ranges":[${ranges}]}`;
}

describeHostLocals("of the original", (subject) => {
  const subnets = ["10.7.0.0/24", "fd00:7::/64"];
  const ofOriginal = {
    "10.7.0.2": "old1 eth0",
    "10.7.0.3": "old2 eth0",
    "fd00:7::2": "old1 eth0",
    "fd00:7::3": "old2 eth0",
  };

  /** A dataDir as the original leaves it: two pods by host-local, and its cache, which all may write. */
  async function leave(
    worker: Worker,
    store = worker.dataDir,
    cache = join(worker.dataDir, "kube-node.json"),
    dataDir?: string,
  ) {
    mkdirSync(store, { recursive: true });
    for (const id of ["old1", "old2"]) {
      const answer = await callHostLocal(subject, { dataDir: store }, "ADD", { id, subnets });
      expect(answer.exitCode, answer.stdout).toBe(0);
    }
    writeFileSync(cache, printCache(subnets, dataDir));
    chmodSync(cache, 0o666);
  }

  it("pods and ranges are taken over where nobody can be asked, and new pods stand beside them", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs: subnets });
    await leave(worker, worker.dataDir, join(worker.dataDir, "kube-node.json"), worker.dataDir);
    expect(worker.leases()).toEqual(ofOriginal);
    await beginOutage(server);
    expect(await worker.fail("ADD", { id: "old1" })).toMatchObject({ code: 101 });
    expect(await worker.add({ id: "new1" })).toEqual(["10.7.0.4", "fd00:7::4"]);
    for (const id of ["old1", "old2"]) await worker.pass("CHECK", { id });
    for (const id of ["old1", "old2", "new1"]) await worker.pass("DEL", { id });
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
  });

  it("a DEL that is the first call of ours frees", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    await leave(worker);
    await beginOutage(server);
    await worker.pass("DEL", { id: "old1" });
    expect(Object.values(worker.leases())).toEqual(["old2 eth0", "old2 eth0"]);
  });

  it("its pods end though the Node says something else by now, and the cache is what it was: one can go back", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs: ["10.8.0.0/24"] });
    await leave(worker);
    expect(await worker.add({ id: "new1" })).toEqual(["10.8.0.2"]);
    for (const id of ["old1", "old2", "new1"]) await worker.pass("DEL", { id });
    expect(worker.leases()).toEqual({});
    expect(readFileSync(join(worker.dataDir, "kube-node.json"), "utf8")).toBe(printCache(subnets));
  });

  it.skipIf(lack.some)(
    `without a dataDir its cache lies in host-local's own folder${lack.words}`,
    async () => {
      const worker = await makeWorker(server, subject, { podCIDRs: subnets });
      const networks = join(worker.folder, "cni/networks");
      await leave(worker, networks, join(networks, "net1-cache"));
      mkdirSync(join(networks, "net1"), { recursive: true });
      writeFileSync(join(networks, "net1/kube-node.json"), printCache(subnets));
      rmSync(join(networks, "net1-cache"));
      await beginOutage(server);
      const wrap = (command: string[]) => withMounts({ "/var/lib/cni": join(worker.folder, "cni") }, command);
      const ipam = { dataDir: undefined };
      expect(await worker.add({ id: "new1", wrap, ipam })).toEqual(["10.7.0.4", "fd00:7::4"]);
      for (const id of ["old1", "old2", "new1"]) await worker.pass("DEL", { id, wrap, ipam });
      expect(listLeases(join(networks, "net1"))).toEqual({});
    },
  );
});

/** What an administrator may have made of it; the original took these too (app.go: validateHostLocalIPAM). */
const handMade: [what: string, text: string, addresses: string[] | undefined][] = [
  [
    "indented, with keys that nobody knows",
    JSON.stringify(
      { comment: "mine", type: "host-local", ranges: [[{ subnet: "10.7.0.0/24" }]], x: [] },
      null,
      4,
    ),
    ["10.7.0.2"],
  ],
  [
    "with routes and a gateway, which the original drops",
    '{"type":"host-local","routes":[{"dst":"0.0.0.0/0"}],"ranges":[[{"subnet":"10.7.0.0/24","gateway":"10.7.0.9"}]]}',
    ["10.7.0.2"],
  ],
  [
    "IPv6 first",
    '{"type":"host-local","ranges":[[{"subnet":"fd00:7::/64"}],[{"subnet":"10.7.0.0/24"}]]}',
    ["fd00:7::2", "10.7.0.2"],
  ],
  ["with a byte order mark", '\ufeff{"type":"host-local","ranges":[[{"subnet":"10.7.0.0/24"}]]}', undefined],
  ["with host bits", '{"type":"host-local","ranges":[[{"subnet":"10.7.0.5/24"}]]}', undefined],
  [
    "two ranges in a set",
    '{"type":"host-local","ranges":[[{"subnet":"10.7.0.0/24"},{"subnet":"10.8.0.0/24"}]]}',
    undefined,
  ],
  [
    "three sets",
    '{"type":"host-local","ranges":[[{"subnet":"10.7.0.0/24"}],[{"subnet":"fd00::/64"}],[{"subnet":"10.8.0.0/24"}]]}',
    undefined,
  ],
  ["cut off", '{"type":"host-local","ranges":[[{"subnet":"10.7.0.0/24', undefined],
  ["empty", "", undefined],
];

describeHostLocals("a kube-node.json that somebody made by hand", (subject) => {
  describe("where the API server isn't there", () => {
    it.each(handMade)("%s", async (_, text, addresses) => {
      const worker = await makeWorker(server, subject, { podCIDRs });
      mkdirSync(worker.dataDir);
      writeFileSync(join(worker.dataDir, "kube-node.json"), text);
      await beginOutage(server, "status403");
      if (addresses) expect(await worker.add()).toEqual(addresses);
      else expect((await worker.fail("ADD")).code).toBeOneOf([11, 103]);
      await worker.pass("DEL");
      expect(worker.leases()).toEqual({});
      await server.fault(null);
      expect(await worker.add({ id: "c2" })).toEqual(["10.1.0.2"]);
    });
  });
});
