// Programs are replaced while they run, as an installation does it: the new file takes the name's place in one step.
import { copyFileSync, linkSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { addressesIn, wordsOf } from "../real/parts/answers.ts";
import { makeWorker, type Worker } from "../real/parts/worker.ts";
import { describeOne } from "../security/subject.ts";

const count = 50;
const podCIDRs = ["10.1.0.0/24", "fd00:1::/64"];

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeOne("replaced while it runs", (subject) => {
  /** Two copies of a program, which take each other's place every few milliseconds until `stop`. */
  function replaceAgainAndAgain(folder: string, name: string, source: string) {
    const copies = ["a", "b"].map((letter) => join(folder, `.${name}-${letter}`));
    for (const copy of copies) copyFileSync(source, copy);
    const place = (copy: string) => {
      rmSync(`${copy}.new`, { force: true });
      linkSync(copy, `${copy}.new`);
      renameSync(`${copy}.new`, join(folder, name));
    };
    place(copies[0] as string);
    let over = false;
    let times = 0;
    const done = (async () => {
      for (; !over; await sleep(3)) place(copies[times++ % 2] as string);
    })();
    return {
      path: join(folder, name),
      stop: async () => {
        over = true;
        await done;
        return times;
      },
    };
  }

  const at = (path: string) => ({ wrap: () => [path] });

  async function expectFifty(worker: Worker, wrap: object): Promise<void> {
    const ids = Array.from({ length: count }, (_, i) => `c${i}`);
    const answers = await Promise.all(
      ids.map((id) => worker.call("ADD", { id, ipam: { cacheTTL: 0 }, ...wrap })),
    );
    const given = answers.flatMap(addressesIn);
    expect(new Set(given).size).toBe(count * 2);
    expect(Object.keys(worker.leases())).toHaveLength(count * 2);
    const deleted = await Promise.all(ids.map((id) => worker.call("DEL", { id, ...wrap })));
    for (const answer of deleted) expect(answer.exitCode, wordsOf(answer)).toBe(0);
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
  }

  it(`kube-node, in ${count} ADDs and DELs at once`, async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    const { path, stop } = replaceAgainAndAgain(
      worker.folder,
      "kube-node",
      subject.executable.command("kube-node")[0] as string,
    );
    await expectFifty(worker, at(path));
    expect(await stop()).toBeGreaterThan(10);
  }, 120_000);

  it(`host-local, in ${count} ADDs and DELs at once, which are asked for in a version that an old one doesn't speak`, async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    const { stop } = replaceAgainAndAgain(worker.bin, "host-local", subject.hostLocal.path);
    await expectFifty(worker, { config: { cniVersion: "1.1.0" } });
    expect(await stop()).toBeGreaterThan(10);
  }, 120_000);

  it("and then removed, while a call waits for the API server: it comes to its end", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    const { path, stop } = replaceAgainAndAgain(
      worker.folder,
      "kube-node",
      subject.executable.command("kube-node")[0] as string,
    );
    await stop();
    await server.fault("status503");
    const waiting = worker.call("ADD", at(path));
    await expect.poll(() => worker.requests().length, { timeout: 10_000 }).toBeGreaterThan(0);
    rmSync(path);
    await server.fault(null);
    expect(addressesIn(await waiting)).toEqual(["10.1.0.2", "fd00:1::2"]);
  }, 60_000);
});
