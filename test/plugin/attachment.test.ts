import { mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bootID, uptime } from "../../src/host/machine.ts";
import { type AttachmentRecord, claim, findRecord } from "../../src/lease/record.ts";
import { claimAttachment } from "../../src/plugin/attachment.ts";
import { longestCall } from "../../src/request/budget.ts";
import { leaseFolder } from "../../src/request/lease-folder.ts";
import { makeRecord } from "../lease/take-over.ts";
import { makeRequest } from "./request-parts.ts";

const attachment = { containerID: "c1", ifname: "eth0", netns: "/var/run/netns/c1" };
const ipam = { type: "host-local", ranges: [[{ subnet: "10.1.2.0/24" }]] };
type Made = ReturnType<typeof makeRequest>;

/** A request whose store and records are as an earlier ADD of (c1, eth0) left them. */
function left(record: Partial<AttachmentRecord> | undefined, leases: Record<string, string> = {}): Made {
  const request = makeRequest();
  mkdirSync(request.state.attachments, { recursive: true });
  mkdirSync(join(request.dataDir, "net1"));
  for (const [name, text] of Object.entries(leases)) writeFileSync(join(request.dataDir, "net1", name), text);
  if (record) claim(request.state.attachments, makeRecord({ ipam, bootID: bootID(), ...record }), () => {});
  return request;
}

/** Whether a dead claim was taken over. */
async function take(request: Made): Promise<boolean> {
  const { tookOver } = await claimAttachment(request, attachment, { namespace: "prod" }, ipam);
  return tookOver !== undefined;
}

describe("claimAttachment", () => {
  it("writes down who it is for, how it was asked for, and when", async () => {
    const request = left(undefined);
    expect(await take(request)).toBe(false);
    const record = findRecord(request.state.attachments, "c1", "eth0")?.record;
    expect(record).toMatchObject({
      version: 1,
      ...attachment,
      pod: { namespace: "prod" },
      delegate: "host-local",
      ipam,
      bootID: bootID(),
    });
    expect(Math.abs((record?.uptime ?? 0) - uptime())).toBeLessThan(10);
    expect(Math.abs(Date.parse(record?.time ?? "") - Date.now())).toBeLessThan(10_000);
  });

  it("refuses a second ADD for what has addresses, and names them", async () => {
    const leases = { "10.1.2.3": "c1\r\neth0", "fd00::3": "c1\r\neth0", "10.1.2.4": "c2\r\neth0" };
    const request = left({ uptime: uptime() }, leases);
    await expect(take(request)).rejects.toMatchObject({
      code: 101,
      message: expect.stringMatching(
        /^container c1 on interface eth0 of network net1 already has (10\.1\.2\.3 and fd00::3|fd00::3 and 10\.1\.2\.3)$/,
      ),
    });
  });

  it("refuses it however old the first one is", async () => {
    const request = left({ uptime: uptime() - 10 * longestCall }, { "10.1.2.3": "c1\r\neth0" });
    await expect(take(request)).rejects.toMatchObject({ code: 101 });
  });

  it("refuses it where the first one is still at work: try again later", async () => {
    await expect(take(left({ uptime: uptime() }))).rejects.toMatchObject({ code: 11 });
    await expect(take(left({ uptime: uptime() - longestCall + 20 }))).rejects.toMatchObject({
      code: 11,
      message: expect.stringContaining("another ADD is at work"),
      details: expect.stringContaining("DEL"),
    });
  });

  it("takes over what is older than any call, and holds no lease", async () => {
    const request = left({ uptime: uptime() - longestCall - 5 }, { "10.1.2.4": "c2\r\neth0" });
    expect(await take(request)).toBe(true);
    expect(findRecord(request.state.attachments, "c1", "eth0")?.record?.pod).toEqual({ namespace: "prod" });
  });

  it("takes over what is of an earlier boot, leases and all", async () => {
    expect(await take(left({ bootID: "earlier", uptime: 1e9 }, { "10.1.2.3": "c1\r\neth0" }))).toBe(true);
  });

  it("judges a damaged record by its time", async () => {
    const damaged = (seconds: number) => {
      const request = left(undefined);
      const path = join(request.state.attachments, "c1:eth0");
      writeFileSync(path, "{");
      utimesSync(path, Date.now() / 1000 - seconds, Date.now() / 1000 - seconds);
      return request;
    };
    await expect(take(damaged(10))).rejects.toMatchObject({ code: 11 });
    expect(await take(damaged(uptime() + 60))).toBe(true);
    if (uptime() > longestCall + 60) expect(await take(damaged(longestCall + 10))).toBe(true);
  });

  it("looks for leases where the first ADD's ranges put them", async () => {
    const request = left(
      { ipam: { ...ipam, dataDir: "/absent" }, uptime: uptime() },
      { "10.1.2.3": "c1\r\neth0" },
    );
    expect(leaseFolder(request, { dataDir: "/absent" })).toBe("/absent/net1");
    await expect(take(request)).rejects.toMatchObject({ code: 11 });
  });
});

describe("a store from before us", () => {
  function legacy(leases: Record<string, string>): Made {
    const request = makeRequest();
    mkdirSync(join(request.dataDir, "net1"));
    for (const [name, text] of Object.entries(leases))
      writeFileSync(join(request.dataDir, "net1", name), text);
    return request;
  }

  it("is adopted by the first ADD, whatever it holds", async () => {
    const request = legacy({ "10.1.2.3": "c2\r\neth0", "10.1.2.4": "c3\r\nnet1" });
    expect(await take(request)).toBe(false);
    expect(readdirSync(request.state.attachments).sort()).toEqual(["c1:eth0", "c2:eth0", "c3:net1"]);
  });

  it("has a second ADD refused as well", async () => {
    const request = legacy({ "10.1.2.3": "c1\r\neth0" });
    await expect(take(request)).rejects.toMatchObject({
      code: 101,
      message: expect.stringContaining("10.1.2.3"),
    });
  });

  it("has a second ADD refused where its leases name no interface, too", async () => {
    const request = legacy({ "10.1.2.3": "c1" });
    await expect(take(request)).rejects.toMatchObject({ code: 101 });
  });

  it("is adopted once by a burst of ADDs, which all get their claims", async () => {
    const request = legacy({ "10.1.2.3": "c0\r\neth0" });
    const many = Array.from({ length: 20 }, (_, i) =>
      claimAttachment(request, { ...attachment, containerID: `n${i}` }, {}, ipam),
    );
    expect((await Promise.all(many)).map(({ tookOver }) => tookOver)).toEqual(many.map(() => undefined));
    expect(readdirSync(request.state.attachments)).toHaveLength(21);
    expect(readdirSync(request.state.folder)).toEqual(["attachments"]);
  });
});
