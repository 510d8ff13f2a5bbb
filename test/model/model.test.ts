// A node's life against a model of it: ADD, DEL, CHECK, GC, STATUS, annotations that change, an API server that comes and goes,
// calls that are killed, reboots. SOAK=1 takes minutes (SOAK_MINUTES, each host-local), SEED=N repeats a run.
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { type Executable, executables } from "../parts/plugin.ts";
import { type HostLocal, hostLocals, whatLacks } from "../parts/tools.ts";
import { makeWorker } from "../real/parts/worker.ts";
import { allCommands, type Clock } from "./commands.ts";
import { annotationKey, makeMachine } from "./machine.ts";
import { emptyModel } from "./model.ts";

const soak = process.env["SOAK"] === "1";
const minutes = Number(process.env["SOAK_MINUTES"] ?? 4);
const limit = soak ? minutes * 60_000 : 35_000;
/** For finding the shortest scenario of a failure. */
const patience = 90_000;

const found = soak ? hostLocals() : hostLocals().slice(0, 1);
const lack = whatLacks(found.length > 0 ? {} : { missing: "host-local" });

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

it.skipIf(lack.some).each(found.map((hostLocal) => [hostLocal.label, hostLocal] as const))(
  `the disk agrees with the model, whatever happens (host-local %s)${lack.words}`,
  async (_, hostLocal) => {
    const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
    console.log(`model: SEED=${seed}`);
    const clock = startClock(limit);
    const property = lifeOf(hostLocal, clock);
    const first = await fc.check(property, { seed, numRuns: 100_000, endOnFailure: true, ...until(limit) });
    console.log(`model: ${clock.steps} steps in ${clock.lives} lives`);
    if (first.failed) await explain(property, first, clock);
    expect(clock.steps).toBeGreaterThan(soak ? 1000 : 20);
  },
  limit + patience + 60_000,
);

/** Two addresses, or five, or two families: full soon, or sometimes. */
const firstAnnotations = ["10.1.0.4-10.1.0.5/29", "10.1.0.0/29", "10.1.0.4-10.1.0.5/29,fd00:1::/64"];

/** Nothing more is begun after `end`, so that a life is over when fast-check's own time is. */
function startClock(milliseconds: number): Clock {
  return { end: Date.now() + milliseconds - 3000, steps: 0, lives: 0 };
}

function until(interruptAfterTimeLimit: number) {
  return { interruptAfterTimeLimit, markInterruptAsFailure: false };
}

function lifeOf(hostLocal: HostLocal, clock: Clock) {
  const [compiled] = executables() as [Executable];
  const commands = fc.commands(allCommands(clock), { maxCommands: 50, size: "max" });
  return fc.asyncProperty(fc.constantFrom(...firstAnnotations), commands, async (annotation, life) => {
    if (Date.now() >= clock.end) return;
    clock.lives++;
    await server.fault(null);
    const spec = { annotations: { [annotationKey]: annotation } };
    const worker = await makeWorker(server, { label: "", executable: compiled, hostLocal }, spec);
    const setup = () => ({
      model: emptyModel(annotation),
      real: makeMachine(server, worker, compiled.command("kube-node")),
    });
    await fc.asyncModelRun(setup, life);
  });
}

/** Looks for a shorter life that fails too, and fails with it in words; with the first one where none fails again. */
async function explain<Ts>(
  property: fc.IAsyncPropertyWithHooks<Ts>,
  first: fc.RunDetails<Ts>,
  clock: Clock,
): Promise<never> {
  Object.assign(clock, startClock(patience));
  const { seed, counterexamplePath } = first;
  const shorter = await fc.check(property, { seed, path: counterexamplePath ?? "0", ...until(patience) });
  throw new Error(fc.defaultReportMessage(shorter.failed ? shorter : first), {
    cause: (shorter.failed ? shorter : first).errorInstance,
  });
}
