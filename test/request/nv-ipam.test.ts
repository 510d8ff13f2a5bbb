// Configurations of nv-ipam, read as its own plugin reads them.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { checkFiles } from "../../src/check/check-files.ts";
import { parseNetwork } from "../../src/cni/network.ts";
import { openLog } from "../../src/host/log.ts";
import { readNvIpamRequest } from "../../src/request/nv-ipam.ts";

const silent = () => openLog("/dev/null", 50);

function makeConfDir(text?: string): string {
  const folder = mkdtempSync(join(tmpdir(), "nv-ipam-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  if (text !== undefined) writeFileSync(join(folder, "nv-ipam.conf"), text);
  return folder;
}

function textOf(ipam: object, more: object = {}): string {
  return JSON.stringify({
    cniVersion: "1.0.0",
    name: "net1",
    type: "host-device",
    ipam: { type: "nv-ipam", ...ipam },
    ...more,
  });
}

const read = (ipam: object, more?: object, open: typeof openLog = silent) =>
  readNvIpamRequest(parseNetwork(textOf({ confDir: makeConfDir(), ...ipam }, more)), [], {}, open);

describe("a configuration of nv-ipam's", () => {
  it.each([
    ["names its pool", { poolName: "a" }, "IPPool a"],
    ["has the network's name where it names none", {}, "IPPool net1"],
    ["takes the kind in any letter case", { poolType: "CIDRPool", poolName: "a" }, "CIDRPool a"],
    ["takes keys in any letter case", { POOLNAME: "a", pooltype: "cidrpool" }, "CIDRPool a"],
    ["names two pools", { poolName: "v4, v6" }, "IPPool v4,v6"],
    ["may have a device", { poolName: "a" }, "IPPool a", { deviceID: "0000:03:00.2" }],
  ])("%s", async (_, ipam, label, more?: object) => {
    expect((await read(ipam, more)).source.label).toBe(label);
  });

  it("has its defaults in nv-ipam.conf, and goes before them", async () => {
    const confDir = makeConfDir(
      JSON.stringify({ poolType: "cidrpool", logLevel: "debug", daemonSocket: "unix:///a.sock" }),
    );
    const opened: unknown[] = [];
    const open: typeof openLog = (...given) => {
      opened.push(given);
      return silent();
    };
    expect((await read({ confDir }, {}, open)).source.label).toBe("CIDRPool net1");
    expect(opened).toEqual([["/var/log/nv-ipam-cni.log", 20, { plugin: "nv-ipam", network: "net1" }]]);
    expect((await read({ confDir, poolType: "ippool" })).source.label).toBe("IPPool net1");
  });

  it("passes the daemon's keys over, with a word", async () => {
    const said: unknown[] = [];
    const open: typeof openLog = () => ({
      ...silent(),
      info: (message, fields) => void said.push([message, fields]),
    });
    await read({ daemonSocket: "unix:///a.sock", daemonCallTimeoutSeconds: 5 }, {}, open);
    expect(said).toEqual([
      [expect.stringContaining("there is no daemon"), { keys: ["daemonSocket", "daemonCallTimeoutSeconds"] }],
    ]);
  });

  it.each([
    [{ forcePoolName: true }, /^ipam names no pool: ipam.poolName: expected the name of a pool/],
    [{ poolName: "A_b" }, /ipam.poolName: expected the name of a pool, .*, found "A_b"/],
    [{ poolType: "pool" }, /ipam.poolType: expected ippool or cidrpool, found "pool"/],
    [{ poolName: "a", PoolName: "b" }, /ipam.PoolName: poolName stands there twice/],
    [{ confDir: "here" }, /ipam.confDir: expected an absolute path, found "here"/],
    [{ confDir: "/var/lib/kubelet/pods/p/volumes" }, /confDir .* lies where pods' files are/],
    [{ forcePoolName: "yes" }, /ipam.forcePoolName: expected true or false, found "yes"/],
  ])("is refused: %j", async (ipam, words) => {
    await expect(
      read(ipam).catch((error) => Promise.reject(`${error.message}: ${error.details}`)),
    ).rejects.toMatch(words);
  });

  it("is refused with the place where nv-ipam.conf is malformed", async () => {
    const confDir = makeConfDir('{\n  "logLevel": "info",\n}');
    const error = await read({ confDir }).catch((one) => one);
    expect(error).toMatchObject({ code: 7, message: `${confDir}/nv-ipam.conf is malformed` });
    expect(error.details).toMatch(/^line 3, column 1: expected a key/);
  });

  it("has its pool named by the pod, where it forces a name", async () => {
    const args = { cni: { poolNames: ["b"] } };
    expect((await read({ forcePoolName: true }, { args })).source.label).toBe("IPPool b");
  });
});

describe("check-config of one", () => {
  const check = (ipam: object) =>
    checkFiles([{ name: "f", text: textOf(ipam) }]).map(({ severity, words }) => `${severity}: ${words}`);

  it("finds nothing wrong with a good one, and warns of the daemon's keys", () => {
    expect(
      check({ poolName: "a", poolType: "CIDRPOOL", logFile: "/var/log/a.log", kubeconfig: "/k" }),
    ).toEqual([]);
    expect(check({ daemonSocket: "unix:///a" })).toEqual([
      "warning: ipam.daemonSocket: there is no daemon: nobody reads it, leave it out",
    ]);
  });

  it("tells what a slip of the pen meant", () => {
    expect(check({ poolNam: "a" })[0]).toMatch(/unknown key \(did you mean "poolName"\?\)/);
    expect(check({ type: "nv-ipan" })[0]).toMatch(/did you mean "nv-ipam"\?/);
    expect(check({ forcePoolName: true })).toEqual([
      "error: ipam.poolName: expected the name of a pool, which forcePoolName asks for",
    ]);
  });
});
