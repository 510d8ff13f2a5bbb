// A disk without room, a real one, and one that can't be written: ADD says so, DEL frees what it can, and then all goes on.
import { mkdirSync, readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { readFailure, wordsOf } from "../real/parts/answers.ts";
import { privateMounts } from "../real/parts/private-mounts.ts";
import { describeHostLocals, type Subject } from "../real/parts/subjects.ts";
import { makeWorker } from "../real/parts/worker.ts";
import { callFor, expectOnly, expectOwned } from "./parts/attachments.ts";
import { type MountSpace, moveInto, openMountSpace } from "./parts/mount-space.ts";
import * as play from "./parts/stage.ts";

const lack = whatLacks(privateMounts());
const podCIDRs = ["10.1.0.0/24", "fd00:1::/64"];
const usual = { config: { cniVersion: "1.1.0" } };
const living = ["live:eth0"];

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

/** A machine whose dataDir is a tmpfs of 64 KiB, in which each file takes a page of 4. */
async function makeSmallDisk(subject: Subject): Promise<{ stage: play.Stage; space: MountSpace }> {
  const [worker, space] = [await makeWorker(server, subject, { podCIDRs }), await openMountSpace()];
  mkdirSync(worker.dataDir);
  await space.run('mount -t tmpfs -o size=64k none "$1"', worker.dataDir);
  return { stage: { worker: moveInto(space, worker), subject, live: new Map(), usual }, space };
}

/** Leaves so many pages. */
async function fill({ stage, space }: { stage: play.Stage; space: MountSpace }, left: number): Promise<void> {
  const script =
    'dd if=/dev/zero of="$1/filler" bs=4k status=none 2>/dev/null || true; truncate -s -"$2"k "$1/filler"';
  await space.run(script, stage.worker.dataDir, String(left * 4));
}

async function makeRoom({ stage, space }: { stage: play.Stage; space: MountSpace }): Promise<void> {
  await space.run('rm "$1/filler"', stage.worker.dataDir);
}

describeHostLocals("a full disk", (subject) => {
  describe.skipIf(lack.some)(`of 64 KiB${lack.words}`, () => {
    it("stops ADD, page by page, never DEL, and nothing is left of it", { timeout: 120_000 }, async () => {
      const disk = await makeSmallDisk(subject);
      const { worker, live } = disk.stage;
      await play.addLiving(disk.stage, living);
      const failed: number[] = [];
      for (let left = 0; left <= 5; left++) {
        await fill(disk, left);
        const answer = await worker.call("ADD", callFor(play.mine, usual));
        if (answer.exitCode !== 0) {
          failed.push(left);
          const { code, msg, details } = readFailure(answer);
          expect([5, 999], wordsOf(answer)).toContain(code);
          expect(`${msg} ${details}`).toMatch(/no space left on device/);
        }
        expectOwned(worker, live);
        await worker.pass("DEL", callFor(play.mine, usual));
        expectOnly(worker, live);
        await makeRoom(disk);
        await play.recover(disk.stage);
      }
      expect(failed).toEqual(expect.arrayContaining([0, 1]));
      expect(failed).not.toContain(5);
    });

    it("without room for anything: DEL of those who live, and of those who don't", async () => {
      const disk = await makeSmallDisk(subject);
      const { worker, live } = disk.stage;
      await play.addLiving(disk.stage, living);
      await fill(disk, 0);
      for (const name of [...living, ...living, play.mine]) await worker.pass("DEL", callFor(name, usual));
      live.clear();
      expectOnly(worker, live);
      await makeRoom(disk);
      await play.recover(disk.stage);
    });

    it("from the beginning on: ADD says which one, DEL is good, and with room all works", async () => {
      const disk = await makeSmallDisk(subject);
      const { worker } = disk.stage;
      await fill(disk, 0);
      const failure = await worker.fail("ADD", callFor(play.mine, usual));
      expect(failure).toMatchObject({ code: 5, msg: expect.stringContaining("no space left on device") });
      await worker.pass("DEL", callFor(play.mine, usual));
      await makeRoom(disk);
      await play.recover(disk.stage);
      expect(failure.details).toMatch(`dataDir ${worker.dataDir}: the disk is full: free some space there`);
    });
  });
});

describeHostLocals("a disk that can't be written", (subject) => {
  it.skipIf(lack.some)(`stops what would change it, and nothing else${lack.words}`, async () => {
    const disk = await makeSmallDisk(subject);
    const { worker, live } = disk.stage;
    await play.addLiving(disk.stage, living);
    await disk.space.run('mount -o remount,ro "$1"', worker.dataDir);
    expect(await worker.fail("ADD", callFor(play.mine, usual))).toMatchObject({
      code: 5,
      msg: expect.stringMatching(/read-only file system/),
      details: expect.stringMatching(`dataDir ${worker.dataDir}: .* mount it for writing`),
    });
    expect(await worker.fail("STATUS", usual)).toMatchObject({ code: 50 });
    await worker.pass("DEL", callFor(play.mine, usual));
    const failure = await worker.fail("DEL", callFor("live:eth0", usual));
    expect(`${failure.msg} ${failure.details}`).toMatch(/read-only file system/);
    expectOnly(worker, live);
    await disk.space.run('mount -o remount,rw "$1"', worker.dataDir);
    await play.recover(disk.stage);
    expect(readdirSync(worker.state()).filter((name) => name.startsWith("."))).toEqual([]);
  });
});
