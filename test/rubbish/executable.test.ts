// The built executable with rubbish in every place that it reads: some hundred calls, thousands with SOAK=1. SEED=N repeats a run.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { type Executable, executables } from "../parts/plugin.ts";
import { hostLocals, whatLacks } from "../parts/tools.ts";
import { expectManners, putFile, runRubbish } from "./node-calls.ts";
import { type Place, spots } from "./spots.ts";
import { monsters, rubbish } from "./texts.ts";

const soak = process.env["SOAK"] === "1";
const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const numRuns = soak ? 1000 : 25;
// One host-local: with rubbish hardly a call comes to it, and what it makes of rubbish is its own; there are hundreds of calls.
const [hostLocal] = hostLocals();
const lack = whatLacks(hostLocal ? {} : { missing: "host-local" });
const [compiled] = executables() as [Executable];

/** Bytes. A call without rubbish takes some 45 MB; a text of 10 MB is there several times over, as text, value and text again. */
const mostMemory = 700 << 20;

const key = "example.com/ranges";

let server: EmbeddedApiServer;
let kubeconfig = "";
let folder = "";
let calls = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "rubbish-"));
  server = await startEmbeddedApiServer();
  await server.createNode({ name: "worker-1", podCIDRs: ["10.1.0.0/24"] });
  kubeconfig = await server.kubeconfigFor({ kind: "kubelet", node: "worker-1" });
});
afterAll(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

function makePlace(): Place {
  const number = ++calls;
  const own = join(folder, String(number));
  const dataDir = join(own, "data");
  putFile(join(own, "kubeconfig"), kubeconfig);
  const base = {
    type: "kube-node",
    dataDir,
    kubeconfig: join(own, "kubeconfig"),
    logfile: join(own, "log"),
    timeout: 3,
  };
  return {
    dataDir,
    annotate: async (text) => {
      await server.setAnnotation("worker-1", `${key}-${number}`, text);
      return `${key}-${number}`;
    },
    call: (verb, ipam = {}, env = {}) => ({
      command: compiled.command("kube-node"),
      verb,
      env: {
        CNI_CONTAINERID: "c1",
        CNI_IFNAME: "eth0",
        CNI_NETNS: "/var/run/netns/none",
        CNI_PATH: `${own}:${hostLocal?.folder}`,
        ...env,
      },
      stdin: JSON.stringify({
        cniVersion: "1.1.0",
        name: "net1",
        type: "bridge",
        ipam: { ...base, ...ipam },
      }),
    }),
  };
}

const rows = Object.entries(spots);

describe.skipIf(lack.some)(`rubbish for the executable${lack.words}`, () => {
  it.concurrent.each(rows)(
    "%s",
    async (name, spot) => {
      const text = rubbish(spot.good);
      const property = fc.asyncProperty(text, fc.constantFrom(...spot.verbs), async (text, verb) => {
        const place = makePlace();
        const call = await spot.prepare(place, text, verb);
        const answer = await runRubbish(call);
        // Other programs' own errors are theirs: 999 of host-local, and whatever a delegate prints.
        if (name !== "a delegate's output" || answer.exitCode === 0) expectManners(call, answer);
        else expect(JSON.parse(answer.stdout)).toHaveProperty("code");
        rmSync(join(place.dataDir, ".."), { recursive: true, force: true });
      });
      console.log(`rubbish: ${name}: SEED=${seed}`);
      await fc.assert(property, { seed, numRuns, interruptAfterTimeLimit: soak ? 600_000 : 60_000 });
    },
    soak ? 900_000 : 120_000,
  );
});

describe.skipIf(lack.some)(
  `monsters for the executable: a bounded memory, and the time of a call${lack.words}`,
  () => {
    const chosen = soak
      ? Object.keys(monsters)
      : [
          "10 MB in a string",
          "100,000 arrays in one another",
          "a million quotes",
          "a million lone surrogates",
        ];

    it.each(rows)(
      "%s",
      async (name, spot) => {
        for (const monster of chosen) {
          for (const verb of spot.verbs.includes("ADD")
            ? ["ADD", "DEL"].filter((verb) => spot.verbs.includes(verb))
            : spot.verbs) {
            const place = makePlace();
            const call = await spot.prepare(place, monsters[monster]?.() ?? "", verb);
            const answer = await runRubbish(call);
            const words = `${monster}, ${verb}: ${JSON.stringify({ ...answer, stdout: answer.stdout.slice(0, 500) })}`;
            expect(answer.peak, words).toBeLessThan(mostMemory);
            expect(answer.signal, words).toBe(null);
            if (name !== "a delegate's output" || answer.exitCode === 0) expectManners(call, answer);
            rmSync(join(place.dataDir, ".."), { recursive: true, force: true });
          }
        }
      },
      soak ? 900_000 : 120_000,
    );
  },
);
