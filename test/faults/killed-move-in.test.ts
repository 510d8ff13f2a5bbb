// SIGKILL for whoever takes nv-ipam's store over, in the place of each of its own calls: the next one goes on, and nothing is given twice.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { callPlugin } from "../parts/plugin.ts";
import { strace, whatLacks } from "../parts/tools.ts";
import { expectSilence, wordsOf } from "../real/parts/answers.ts";
import { block, makeOldMachine } from "../real/parts/nv-ipam-machine.ts";
import { privateMounts } from "../real/parts/private-mounts.ts";
import { listLeases, listRecords } from "../real/parts/store.ts";
import { describeHostLocals } from "../real/parts/subjects.ts";
import { sample, sampled, soak } from "./parts/effort.ts";
import { isStep, killedAt, type SystemCall, traceRun, type Wrap } from "./parts/strace.ts";

const lack = whatLacks(strace(), privateMounts());
const old = [2, 4, 6].map((last) => ({ id: `old${last}`, ip: `10.1.0.${last}` }));
const oldLeases = Object.fromEntries(old.map(({ id, ip }) => [ip, `${id} net1`]));

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeHostLocals(`moving in from nv-ipam, killed at each call, ${sampled}`, (subject) => {
  let count = 0;

  /** A store of leases that is new, on the same machine. */
  async function makePlace(worker: Awaited<ReturnType<typeof makeOldMachine>>) {
    const dataDir = join(worker.folder, `data${++count}`);
    const conf = join(worker.folder, `net${count}.conf`);
    const ipam = { type: "nv-ipam", poolName: "a", kubeconfig: worker.kubeconfig, dataDir };
    writeFileSync(conf, JSON.stringify({ cniVersion: "1.0.0", name: "net1", type: "host-device", ipam }));
    const call = (verb: string, id: string, wrap: Wrap = (same) => same) =>
      worker.call(verb, worker.as({ id, ipam: { dataDir }, wrap: (command) => worker.wrap(wrap(command)) }));
    const adopt = (wrap: Wrap = (same) => same) =>
      callPlugin({
        command: worker.wrap(
          wrap([...subject.executable.command("kube-node"), "adopt", `--conf=${conf}`, "--conf-dir=/none"]),
        ),
        env: { CNI_PATH: worker.path },
      });
    return {
      call,
      adopt,
      leases: () => listLeases(join(dataDir, "net1")),
      records: () =>
        listRecords(join(dataDir, ".kube-node/net1")).filter((name) => name.split(":").length === 2),
    };
  }

  describe.skipIf(lack.some)(`what was old is leased once to whom it was${lack.words}`, () => {
    it.each([
      ["an ADD", (place: Awaited<ReturnType<typeof makePlace>>, wrap: Wrap) => place.call("ADD", "c1", wrap)],
      ["adopt", (place: Awaited<ReturnType<typeof makePlace>>, wrap: Wrap) => place.adopt(wrap)],
    ])("after %s that was killed", { timeout: soak ? 900_000 : 180_000 }, async (_, run) => {
      const worker = await makeOldMachine(server, subject, old, { blocks: [block] });
      const log = join(worker.folder, "trace");
      const traced = await makePlace(worker);
      const calls = await traceRun(log, (wrap) => run(traced, wrap), ["mkdir", "mkdirat"]);
      const steps = sample(calls.filter(isStep), 8);
      expect(steps.length).toBeGreaterThan(3);
      const failures: string[] = [];
      for (const step of steps) {
        try {
          await killAt(step);
        } catch (error) {
          failures.push(`${step.words}: ${(error as Error).message}`);
        }
      }
      expect(failures).toEqual([]);

      async function killAt(step: SystemCall): Promise<void> {
        const place = await makePlace(worker);
        await run(place, killedAt(step, join(worker.folder, "killed")));
        const answer = await place.call("ADD", "c2");
        expect(answer.exitCode, wordsOf(answer)).toBe(0);
        expectSilence(await place.call("DEL", "c1"));
        const { ips } = answer.json as { ips: { address: string }[] };
        const given = String(ips[0]?.address).replace("/16", "");
        expect(place.leases()).toEqual({ ...oldLeases, [given]: "c2 net1" });
        expect(Object.keys(oldLeases)).not.toContain(given);
        expect(place.records()).toEqual(["c2:net1", ...old.map(({ id }) => `${id}:net1`)]);
      }
    });

    it("while adopt and ADDs race one another", async () => {
      const worker = await makeOldMachine(server, subject, old, {
        blocks: [{ ...block, ranges: ["10.1.0.2-10.1.0.40"] }],
      });
      for (let round = 0; round < (soak ? 50 : 4); round++) {
        const place = await makePlace(worker);
        const [, , ...added] = await Promise.all([
          place.adopt(),
          place.adopt(),
          ...["c1", "c2", "c3", "c4"].map((id) => place.call("ADD", id)),
        ]);
        for (const answer of added) expect(answer.exitCode, wordsOf(answer)).toBe(0);
        const leases = place.leases();
        expect(leases).toMatchObject(oldLeases);
        expect(Object.values(leases).sort()).toEqual(
          ["c1", "c2", "c3", "c4", ...old.map(({ id }) => id)].map((id) => `${id} net1`),
        );
        expect(place.records()).toHaveLength(7);
      }
    });
  });
});
