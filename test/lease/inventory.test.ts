import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join as path } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatIp } from "../../src/address/ip.ts";
import { bootID } from "../../src/host/machine.ts";
import { join, readInventory } from "../../src/lease/inventory.ts";
import { findLeaks } from "../../src/lease/leaks.ts";
import { judgeFromHere } from "../../src/lease/liveness.ts";
import { knownRanges, rangeUse } from "../../src/lease/range-use.ts";
import type { ListedRecord } from "../../src/lease/record.ts";
import type { Lease } from "../../src/lease/store.ts";
import { testFolder } from "../host/folder.ts";
import { makeRecord } from "./take-over.ts";

const containerID = fc.constantFrom("c1", "c2", "c3");
const ifname = fc.constantFrom("eth0", "net1");
const leases: fc.Arbitrary<Lease[]> = fc.uniqueArray(
  fc.record({
    ip: fc.record({ family: fc.constantFrom<(4 | 6)[]>(4, 6), value: fc.bigInt({ min: 1n, max: 40n }) }),
    containerID: fc.oneof(containerID, fc.constant("")),
    ifname: fc.option(ifname, { nil: undefined }),
  }),
  { maxLength: 12, selector: ({ ip }) => formatIp(ip) },
) as fc.Arbitrary<Lease[]>;
const records: fc.Arbitrary<ListedRecord[]> = fc.uniqueArray(
  fc.record({
    containerID,
    ifname: fc.oneof(ifname, fc.constant("")),
    path: fc.constant("record"),
    mtimeMs: fc.constant(1),
    nonce: fc.constant("n"),
    links: fc.constant(["n"]),
  }),
  { maxLength: 6, selector: (one) => `${one.containerID}:${one.ifname}` },
);

describe("join", () => {
  it("has every lease of somebody and every record once, each attachment once, and none that isn't its own", () => {
    fc.assert(
      fc.property(leases, records, (leases, records) => {
        const joined = join(leases, records);
        const held = joined.flatMap((one) => one.leases);
        expect(new Set(held)).toEqual(new Set(leases.filter((lease) => lease.containerID !== "")));
        expect(held).toHaveLength(new Set(held).size);
        expect(new Set(joined.flatMap(({ record }) => record ?? []))).toEqual(new Set(records));
        const names = joined.map((one) => `${one.containerID}:${one.ifname}`);
        expect(new Set(names).size).toBe(names.length);
        for (const one of joined)
          for (const lease of one.leases) {
            expect(lease.containerID).toBe(one.containerID);
            if (lease.ifname !== undefined) expect(lease.ifname).toBe(one.ifname);
          }
      }),
    );
  });

  it("is in the order of addresses, IPv4 first, what has none last", () => {
    fc.assert(
      fc.property(leases, records, (leases, records) => {
        const firsts = join(leases, records).map((one) => one.leases[0]);
        const keys = firsts.map((lease) =>
          lease ? `${lease.ip.family} ${String(lease.ip.value).padStart(40, "0")}` : "9",
        );
        expect(keys).toEqual([...keys].sort());
      }),
    );
  });
});

/** A network with one record of this boot, and what else is written into its store. */
function makeStore(files: Record<string, string>, changes: Parameters<typeof makeRecord>[0] = {}) {
  const dataDir = testFolder();
  const attachments = path(dataDir, ".kube-node/net1/attachments");
  mkdirSync(attachments, { recursive: true });
  for (const folder of [path(dataDir, ".kube-node"), path(dataDir, ".kube-node/net1"), attachments])
    chmodSync(folder, 0o700);
  mkdirSync(path(dataDir, "net1"));
  writeFileSync(path(attachments, "c1:eth0"), JSON.stringify(makeRecord({ bootID: bootID(), ...changes })));
  for (const [name, text] of Object.entries(files)) writeFileSync(path(dataDir, "net1", name), text);
  const read = () => readInventory("net1", { dataDir, judge: judgeFromHere() });
  const leaks = (uptime = 100) =>
    findLeaks(read(), { bootID: bootID(), uptime, longestCall: 240 }).map(({ kind, subject, freeable }) => ({
      kind,
      subject: subject.slice(subject.lastIndexOf("/") + 1),
      freeable,
    }));
  return { dataDir, store: path(dataDir, "net1"), attachments, read, leaks };
}

describe("what has leaked", () => {
  const lease = { "10.1.2.2": "c1\r\neth0" };

  it("is nothing where lease and record go together", () => {
    expect(makeStore(lease).leaks()).toEqual([]);
    expect(makeStore({ ...lease, lock: "", "last_reserved_ip.0": "10.1.2.2" }).leaks()).toEqual([]);
  });

  it("is a record without a lease only when no call can be at work on it", () => {
    const { leaks } = makeStore({});
    expect(leaks(100 + 240)).toEqual([]);
    expect(leaks(100 + 241)).toEqual([{ kind: "record-without-lease", subject: "c1:eth0", freeable: true }]);
  });

  it("is what another boot left, whether it has a lease or not", () => {
    const dead = { bootID: "an earlier one" };
    expect(makeStore(lease, dead).leaks()).toEqual([{ kind: "dead", subject: "10.1.2.2", freeable: true }]);
    expect(makeStore({}, dead).leaks()).toEqual([{ kind: "dead", subject: "c1:eth0", freeable: true }]);
  });

  it("is never freed where a namespace isn't to be seen, which proves nothing", () => {
    expect(makeStore(lease, { netns: "/var/run/netns/none", netnsID: "4:5" }).leaks()).toEqual([
      { kind: "no-namespace", subject: "10.1.2.2", freeable: false },
    ]);
  });

  it("may be a file that nobody makes: of every odd kind, and none of them is freed", () => {
    const odd = { "010.1.2.3": "x", "FD00::1": "x", "10.1.2.300": "x", "fd00::1:0:0": "c9\r\neth0" };
    const { store, attachments, dataDir, leaks } = makeStore({ ...lease, ...odd });
    mkdirSync(path(store, "10.1.2.9"));
    mkdirSync(path(store, "folder"));
    symlinkSync("/etc/passwd", path(attachments, "c7:eth0"));
    writeFileSync(path(dataDir, ".kube-node/net1/other"), "");
    const found = leaks();
    expect(found.filter(({ freeable }) => freeable)).toEqual([]);
    expect(found.map(({ kind, subject }) => `${kind} ${subject}`).sort()).toEqual([
      "foreign-file 010.1.2.3",
      "foreign-file 10.1.2.300",
      "foreign-file 10.1.2.9",
      "foreign-file FD00::1",
      "foreign-file c7:eth0",
      "foreign-file folder",
      "foreign-file other",
      "lease-without-record fd00::1:0:0",
    ]);
  });

  it("may be a lease that names no container, which no DEL can free", () => {
    const rubbish = { "10.1.2.7": "../../etc\r\neth0", "10.1.2.8": "a b" };
    const found = makeStore({ ...lease, ...rubbish }).leaks();
    expect(found).toEqual(
      Object.keys(rubbish).map((subject) => ({ kind: "foreign-file", subject, freeable: false })),
    );
  });

  it("isn't freed where only its runtime knows where its leases lie", () => {
    const ipam = { ranges: [[{ subnet: "10.1.2.0/24" }]], dataDir: "relative" };
    expect(makeStore({}, { ipam }).leaks(1000)).toEqual([]);
    expect(makeStore(lease, { ipam, bootID: "an earlier one" }).leaks()).toEqual([
      { kind: "dead", subject: "10.1.2.2", freeable: false },
    ]);
  });

  it("isn't what took a dead claim over, nor the claim beside it", () => {
    const { attachments, leaks } = makeStore(lease, { bootID: "an earlier one", nonce: "1-a" });
    writeFileSync(path(attachments, "c1:eth0:1-a"), JSON.stringify(makeRecord({ bootID: bootID() })));
    expect(leaks()).toEqual([]);
  });
});

describe("what is used of ranges", () => {
  const lease = { "10.1.2.2": "c1\r\neth0" };

  it("doesn't choke on ranges that make no sense, nor count them", () => {
    const strange = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.array(fc.array(fc.record({ subnet: fc.oneof(fc.string(), fc.constant("10.1.2.0/24")) }))),
    );
    fc.assert(
      fc.property(strange, (ranges) => {
        const inventory = makeStore(lease, { ipam: { ranges } }).read();
        for (const { size, used, free } of rangeUse(knownRanges(inventory.holdings), inventory))
          expect(size >= 0n && used >= 0n && free >= 0n).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it("leaves the gateway out, wherever it is, and counts what is inside of a range alone", () => {
    const range = {
      subnet: "10.1.2.0/24",
      rangeStart: "10.1.2.10",
      rangeEnd: "10.1.2.19",
      gateway: "10.1.2.15",
    };
    const files = { "10.1.2.9": "c2\r\neth0", "10.1.2.10": "c1\r\neth0", "10.1.2.20": "c3\r\neth0" };
    const inventory = makeStore(files, { ipam: { ranges: [[range]] } }).read();
    expect(rangeUse(knownRanges(inventory.holdings), inventory)).toEqual([
      { range, size: 9n, used: 1n, free: 8n },
    ]);
  });
});
