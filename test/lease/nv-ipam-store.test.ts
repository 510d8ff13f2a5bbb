// nv-ipam's store is understood whole, or not at all.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { formatIp } from "../../src/address/ip.ts";
import { CniError } from "../../src/cni/error.ts";
import { markOfStore, oldPoolKey, readOldStore } from "../../src/lease/nv-ipam-store.ts";
import { nvIpamStoreOf } from "../real/parts/nv-ipam-store.ts";

const folder = mkdtempSync(join(tmpdir(), "nv-ipam-store-"));
const path = join(folder, "store");
afterAll(() => rmSync(folder, { recursive: true }));

function read(text: string) {
  writeFileSync(path, text);
  return readOldStore(path);
}
const whole = nvIpamStoreOf([
  { id: "c1", ip: "10.1.0.2", pod: "web/a", uid: "u1" },
  { id: "c2", ip: "fd00:1::2", pool: "cidrpool/b", ifname: "net2" },
]);

describe("nv-ipam's store", () => {
  it("has each lease with its pool, container, address and pod", () => {
    const store = read(whole);
    expect(store?.pools).toEqual(["a", "cidrpool/b"]);
    expect(store?.leases.map(({ ip, ...rest }) => ({ ...rest, ip: formatIp(ip) }))).toEqual([
      {
        pool: "a",
        containerID: "c1",
        ifname: "net1",
        ip: "10.1.0.2",
        pod: { namespace: "web", name: "a", uid: "u1" },
      },
      {
        pool: "cidrpool/b",
        containerID: "c2",
        ifname: "net2",
        ip: "fd00:1::2",
        pod: { namespace: "web", name: "a", uid: "uid-c2" },
      },
    ]);
    expect([oldPoolKey("IPPool", "a"), oldPoolKey("CIDRPool", "b")]).toEqual(store?.pools);
  });

  it("may have no pools, and pools nothing", () => {
    expect(read('{"version":1,"checksum":1}')).toMatchObject({ pools: [], leases: [] });
    expect(read('{"version":1,"pools":{"a":{"name":"a","entries":null}}}')).toMatchObject({
      pools: ["a"],
      leases: [],
    });
    expect(readOldStore(join(folder, "absent"))).toBeUndefined();
    expect(markOfStore(join(folder, "absent"))).toBeUndefined();
  });

  it.each([
    [
      "an entry at another's key",
      { id: "c1", ip: "10.1.0.2", key: "c2_net1" },
      /stands at the key of another one, c2_net1/,
    ],
    ["a container that no runtime names so", { id: "../c1", ip: "10.1.0.2" }, /a name that no runtime gives/],
    [
      "an interface that none can have",
      { id: "c1", ip: "10.1.0.2", ifname: "a/b" },
      /a name that no runtime gives/,
    ],
  ])("%s is in doubt", (_, entry, words) => {
    expect(read(nvIpamStoreOf([entry]))?.leases[0]?.doubt).toMatch(words);
  });

  it.each([
    ["[]", "line 1, column 1: expected an object, found an array"],
    ['{"version":2}', "line 1, column 12: version: expected 1, found 2"],
    ["{}", "version: expected 1, found nothing"],
    ['{"version":1,\n"pools":[]}', "line 2, column 9: pools: expected an object, found an array"],
    [
      '{"version":1,"pools":{"a":{"entries":{"c_n":{}}}}}',
      "pools.a.entries.c_n.ip_address: expected an IP address",
    ],
  ])("%s can't be understood", (text, words) => {
    expect(() => read(text)).toThrow(CniError);
    try {
      read(text);
    } catch (error) {
      expect(error).toMatchObject({ code: 11, message: `nv-ipam's store ${path} can't be understood` });
      expect((error as CniError).details).toContain(words);
    }
  });

  it("cut short anywhere is never half understood", () => {
    fc.assert(
      fc.property(fc.nat(whole.length - 1), (length) => {
        expect(() => read(whole.slice(0, length))).toThrow(CniError);
      }),
    );
  });

  it("of whatever JSON is understood, or refused in words", () => {
    fc.assert(
      fc.property(fc.json(), (inner) => {
        try {
          read(`{"version":1,"pools":{"a":{"entries":${inner}}}}`);
        } catch (error) {
          expect(error).toBeInstanceOf(CniError);
        }
      }),
    );
  });
});
