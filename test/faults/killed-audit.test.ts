// SIGKILL for `kube-node audit --fix` in the place of each of its own calls: what it was at work on is soon anybody's again.
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { callPlugin, type PluginAnswer } from "../parts/plugin.ts";
import { strace, whatLacks } from "../parts/tools.ts";
import { describeHostLocals } from "../real/parts/subjects.ts";
import { makeWorker } from "../real/parts/worker.ts";
import { addTo, expectOwned } from "./parts/attachments.ts";
import { sample, sampled, soak } from "./parts/effort.ts";
import * as play from "./parts/stage.ts";
import { isStep, killedAt, type SystemCall, traceRun, type Wrap } from "./parts/strace.ts";

const lack = whatLacks(strace());

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeHostLocals(`audit --fix killed at each call of its own, ${sampled}`, (subject) => {
  async function enter(): Promise<play.Stage> {
    const worker = await makeWorker(server, subject, { podCIDRs: ["10.1.0.0/24", "fd00:1::/64"] });
    const stage: play.Stage = {
      worker,
      subject,
      live: new Map(),
      usual: { config: { cniVersion: "1.1.0" } },
    };
    await play.addLiving(stage, ["live:eth0", "live:eth1"]);
    return stage;
  }

  function audit({ worker }: play.Stage, wrap: Wrap): Promise<PluginAnswer> {
    const words = ["audit", "--fix", `--data-dir=${worker.dataDir}`];
    // Nobody waits for what goes on after it.
    const quietly: Wrap = (command) => ["sh", "-c", 'exec "$@" 2>/dev/null', "sh", ...command];
    return callPlugin({
      command: quietly(wrap([...subject.executable.command("kube-node"), ...words])),
      path: worker.path,
    });
  }

  const prepare = (stage: play.Stage) => play.addDead(stage, [play.mine, "dead:eth1"]);

  let missed = 0;
  /** The dead one's ADD needs no DEL before it; then it is as after any call that failed. */
  async function killAt(stage: play.Stage, step: SystemCall): Promise<void> {
    await prepare(stage);
    const answer = await audit(stage, killedAt(step, join(stage.worker.folder, "killed")));
    if (answer.signal !== "SIGKILL") missed++;
    const withMine = new Map(stage.live);
    await addTo(withMine, stage.worker, play.mine, stage.usual);
    expectOwned(stage.worker, withMine);
    await play.recover(stage);
  }

  const name = `what it was at work on can be added, ended and collected${lack.words}`;
  it.skipIf(lack.some)(name, { timeout: soak ? 900_000 : 180_000 }, async () => {
    const stage = await enter();
    await prepare(stage);
    const run = (wrap: Wrap) => audit(stage, wrap);
    const calls = await traceRun(join(stage.worker.folder, "trace"), run, ["link", "linkat"]);
    const steps = sample(calls.filter(isStep), 6);
    expect(steps.length).toBeGreaterThan(0);
    await play.tryEach(steps, ({ kind, nth, words }) => `${words} (${kind} ${nth})`, enter, killAt);
    expect(missed, "calls that were not killed").toBeLessThan(steps.length / 4 + 1);
  });
});
