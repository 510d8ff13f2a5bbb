import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatIp, parseIp } from "../../src/address/ip.ts";
import { isLeaseOf, type Lease, parseLease, readLeases, storeFolder } from "../../src/lease/store.ts";
import { testFolder } from "../host/folder.ts";

describe("storeFolder", () => {
  it("is host-local's own", () => {
    expect(storeFolder(undefined, "net1")).toBe("/var/lib/cni/networks/net1");
    expect(storeFolder("/run/data", "net1")).toBe("/run/data/net1");
  });
});

describe("readLeases", () => {
  it("finds every lease, and nothing else", () => {
    const folder = testFolder();
    const files = {
      "10.1.2.3": "c1\r\neth0",
      "10.1.2.4": "c2",
      "10.1.2.5": "",
      "fd00::3": "c1\r\neth0",
      "4000::1000:1": "c3\r\nnet1",
      lock: "",
      "last_reserved_ip.0": "10.1.2.5",
      "kube-node.json": "{}",
      "010.1.2.3": "c9\r\neth0",
      "FD00::4": "c9\r\neth0",
      "fd00:0::5": "c9\r\neth0",
      "10.1.2.3.bak": "c9\r\neth0",
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const found = readLeases(folder).map(({ ip, path, ...rest }) => {
      expect(path).toBe(join(folder, formatIp(ip)));
      return [formatIp(ip), rest];
    });
    expect(Object.fromEntries(found)).toEqual({
      "10.1.2.3": { containerID: "c1", ifname: "eth0" },
      "10.1.2.4": { containerID: "c2" },
      "10.1.2.5": { containerID: "" },
      "fd00::3": { containerID: "c1", ifname: "eth0" },
      "4000::1000:1": { containerID: "c3", ifname: "net1" },
    });
  });

  it("finds none where there is no store", () => {
    expect(readLeases(join(testFolder(), "absent"))).toEqual([]);
  });

  it("passes over a folder that is called like an address", () => {
    const folder = testFolder();
    mkdirSync(join(folder, "10.1.2.3"));
    writeFileSync(join(folder, "10.1.2.4"), "c1\r\neth0");
    expect(readLeases(folder)).toHaveLength(1);
  });

  it("finds any address by the name that host-local gives it", () => {
    const folder = testFolder();
    const ips = fc
      .sample(fc.oneof(fc.ipV4(), fc.ipV6()), 200)
      .map((text) => formatIp(parseIp(text) as never));
    for (const name of ips) writeFileSync(join(folder, name), `c-${name.length}\r\neth0`);
    expect(new Set(readLeases(folder).map(({ ip }) => formatIp(ip)))).toEqual(new Set(ips));
  });
});

describe("parseLease", () => {
  it.each([
    ["c1\r\neth0", { containerID: "c1", ifname: "eth0" }],
    ["c1\r\neth0\r\n", { containerID: "c1", ifname: "eth0" }],
    [" c1\r\neth0\n", { containerID: "c1", ifname: "eth0" }],
    ["c1", { containerID: "c1" }],
    ["c1\n", { containerID: "c1" }],
    ["", { containerID: "" }],
    ["\0\0\0", { containerID: "\0\0\0" }],
  ])("%j", (text, lease) => {
    expect(parseLease(text)).toEqual(lease);
  });
});

describe("isLeaseOf", () => {
  const lease = (containerID: string, ifname?: string): Lease => ({
    ip: { family: 4, value: 1n },
    containerID,
    path: "",
    ...(ifname !== undefined && { ifname }),
  });

  it.each([
    [lease("c1", "eth0"), true],
    [lease("c1"), true],
    [lease("c1", "net1"), false],
    [lease("c2", "eth0"), false],
    [lease("c2"), false],
    [lease(""), false],
  ])("%#", (one, verdict) => {
    expect(isLeaseOf(one, "c1", "eth0")).toBe(verdict);
  });
});
