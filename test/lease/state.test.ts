import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { CniError } from "../../src/cni/error.ts";
import { findRecord } from "../../src/lease/record.ts";
import { adoptStore, isAdopted, openState, type State } from "../../src/lease/state.ts";
import { testFolder } from "../host/folder.ts";
import { race } from "../host/other-process.ts";
import { root, whatLacks } from "../parts/tools.ts";

const asRoot = whatLacks(root());

describe("openState", () => {
  it("names the folders, and makes nothing", () => {
    const dataDir = join(testFolder(), "data");
    expect(openState(dataDir, "net1")).toEqual({
      folder: `${dataDir}/.kube-node/net1`,
      attachments: `${dataDir}/.kube-node/net1/attachments`,
    });
    expect(existsSync(dataDir)).toBe(false);
    expect(openState(undefined, "net1").folder).toBe("/var/lib/cni/networks/.kube-node/net1");
  });

  it("takes what an earlier call has made", () => {
    const dataDir = testFolder();
    const state = openState(dataDir, "net1");
    adoptStore(state, join(dataDir, "net1"));
    expect(openState(dataDir, "net1")).toEqual(state);
    expect(isAdopted(state)).toBe(true);
  });

  const places = [".kube-node", ".kube-node/net1", ".kube-node/net1/attachments"];

  it.each(places)("refuses a link in the place of %s, and says what to do", (place) => {
    const [dataDir, elsewhere] = [testFolder(), testFolder()];
    makeAbove(dataDir, place);
    symlinkSync(elsewhere, join(dataDir, place));
    expectRefusal(dataDir, place);
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  it.each(places)("refuses a file in the place of %s", (place) => {
    const dataDir = testFolder();
    makeAbove(dataDir, place);
    writeFileSync(join(dataDir, place), "");
    expectRefusal(dataDir, place);
  });

  it.skipIf(asRoot.some).each(places)(
    `refuses another user's folder in the place of %s${asRoot.words}`,
    (place) => {
      const dataDir = testFolder();
      mkdirSync(join(dataDir, place), { recursive: true });
      chownSync(join(dataDir, place), 12345, 12345);
      expectRefusal(dataDir, place);
    },
  );
});

describe("adoptStore", () => {
  it("gives every lease that was there before us a record, once", () => {
    const { store, state } = makeStore(5000);
    const start = performance.now();
    adoptStore(state, store);
    expect(performance.now() - start).toBeLessThan(5000);
    expect(readdirSync(state.attachments)).toHaveLength(5000);
    expect(findRecord(state.attachments, "c4321", "eth0")?.record).toMatchObject({
      containerID: "c4321",
      ifname: "eth0",
    });
    expect(readdirSync(state.folder)).toEqual(["attachments"]);
    expect(statSync(state.attachments).mode & 0o777).toBe(0o700);
    expect(readdirSync(store)).toHaveLength(5002);
  });

  it("changes nothing when it is done again", () => {
    const { store, state } = makeStore(10);
    adoptStore(state, store);
    writeFileSync(join(store, "10.9.9.9"), "late\r\neth0");
    adoptStore(state, store);
    expect(readdirSync(state.attachments)).toHaveLength(10);
    expect(readdirSync(state.folder)).toEqual(["attachments"]);
  });

  it("takes two leases of one attachment for one", () => {
    const { store, state } = makeStore(0);
    for (const ip of ["10.1.2.3", "fd00::3"]) writeFileSync(join(store, ip), "c1\r\neth0");
    adoptStore(state, store);
    expect(readdirSync(state.attachments)).toEqual(["c1:eth0"]);
  });

  it("passes over empty leases, and keeps those of old releases", () => {
    const { store, state } = makeStore(0);
    writeFileSync(join(store, "10.1.2.3"), "");
    writeFileSync(join(store, "10.1.2.4"), "old");
    adoptStore(state, store);
    expect(readdirSync(state.attachments)).toEqual(["old:"]);
  });

  it("is done at once where there is no store", () => {
    const dataDir = testFolder();
    const state = openState(dataDir, "net1");
    adoptStore(state, join(dataDir, "net1"));
    expect(isAdopted(state)).toBe(true);
    expect(readdirSync(state.attachments)).toEqual([]);
  });

  it("goes on over a lease whose container's name is too long for a record", () => {
    const { store, state } = makeStore(1);
    writeFileSync(join(store, "10.9.9.9"), `${"c".repeat(300)}\r\neth0`);
    expect(() => adoptStore(state, store)).not.toThrow();
    expect(readdirSync(state.attachments)).toContain("c0:eth0");
  });

  it("writes nowhere else, whatever a damaged lease says", () => {
    const { store, state } = makeStore(1);
    writeFileSync(join(store, "10.9.9.8"), "../../../escape\r\neth0");
    expect(() => adoptStore(state, store)).not.toThrow();
    expect(readdirSync(join(store, "..")).sort()).toEqual([".kube-node", "net1"]);
  });

  const shm = otherFileSystem();
  const lack = whatLacks(shm === undefined ? { missing: "/dev/shm" } : {});
  it.skipIf(lack.some)(`adopts a store on another file system${lack.words}`, () => {
    const folder = mkdtempSync(join(shm as string, "kube-node-test-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "10.1.2.3"), "c1\r\neth0");
    const state = openState(testFolder(), "net1");
    expect(() => adoptStore(state, folder)).not.toThrow();
    expect(findRecord(state.attachments, "c1", "eth0")?.record).toMatchObject({ containerID: "c1" });
  });

  it("removes what killed adopters left, and not what others are at", () => {
    const { store, state } = makeStore(3);
    const hourAgo = Date.now() / 1000 - 3600;
    for (const [name, isOld] of [
      [".adopting-1", true],
      [".adopting-2", false],
    ] as const) {
      mkdirSync(join(state.folder, name, "in"), { recursive: true });
      if (isOld) utimesSync(join(state.folder, name), hourAgo, hourAgo);
    }
    adoptStore(state, store);
    expect(readdirSync(state.folder).sort()).toEqual([".adopting-2", "attachments"]);
  });

  it("takes nothing from the store", () => {
    const { store, state } = makeStore(20);
    const before = readdirSync(store).map((name) => [name, readFileSync(join(store, name), "utf8")]);
    adoptStore(state, store);
    expect(readdirSync(store).map((name) => [name, readFileSync(join(store, name), "utf8")])).toEqual(before);
    rmSync(join(store, "10.0.0.1"));
    expect(readdirSync(state.attachments)).toHaveLength(20);
  });

  it("of several adopters at once, one wins, and none fails", async () => {
    const { store, state } = makeStore(2000);
    const outcomes = await race(8, testFolder(), (index) => [
      index % 2 === 0 ? "node" : "bun",
      ["lease/state.ts", "adoptStore"],
      [state, store],
    ]);
    expect(outcomes.flatMap(({ error }) => error ?? [])).toEqual([]);
    expect(readdirSync(state.attachments)).toHaveLength(2000);
    expect(readdirSync(state.folder)).toEqual(["attachments"]);
  });
});

function makeStore(count: number): { store: string; state: State } {
  const dataDir = testFolder();
  const store = join(dataDir, "net1");
  mkdirSync(store);
  writeFileSync(join(store, "lock"), "");
  writeFileSync(join(store, "last_reserved_ip.0"), "10.0.0.1");
  for (let i = 0; i < count; i++) {
    writeFileSync(join(store, `10.0.${i >> 8}.${i & 255}`), `c${i}\r\neth0`);
  }
  return { store, state: openState(dataDir, "net1") };
}

function makeAbove(dataDir: string, place: string): void {
  mkdirSync(join(dataDir, place, ".."), { recursive: true });
}

function expectRefusal(dataDir: string, place: string): void {
  try {
    openState(dataDir, "net1");
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    expect(error).toMatchObject({ code: 5, details: "remove it; it is made again" });
    expect(error.message).toContain(join(dataDir, place));
    return;
  }
  expect.unreachable("it was taken");
}

function otherFileSystem(): string | undefined {
  const here = statSync(process.env["TMPDIR"] ?? "/tmp").dev;
  const shm = lstatSync("/dev/shm", { throwIfNoEntry: false });
  return shm?.isDirectory() && shm.dev !== here ? "/dev/shm" : undefined;
}
