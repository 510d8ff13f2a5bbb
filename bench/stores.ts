import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Arena } from "./arena.ts";
import { timesOf } from "./calls.ts";
import { makeContender, toRanges } from "./contenders.ts";
import type { Contender, Verb } from "./plan.ts";
import type { StoreRow } from "./results.ts";
import { runJob } from "./run-job.ts";
import { median } from "./statistics.ts";
import { wide } from "./world.ts";

const sizes = [10, 250, 4_000, 60_000];
const verbs: Verb[] = ["ADD", "DEL"];

/** How long calls take in stores of several sizes, which are filled before ours first sees them. */
export async function measureStores(arena: Arena): Promise<StoreRow[]> {
  const rows: StoreRow[] = [];
  for (const size of sizes) rows.push(await measureStore(arena, size));
  return rows;
}

async function measureStore(arena: Arena, leases: number): Promise<StoreRow> {
  const { world, hostLocal, kubeNode } = arena;
  const ranges = { ranges: toRanges([wide.value]) };
  const kept = { kubeconfig: world.kubeconfig, annotation: wide.key, cacheTTL: 3600 };
  const bare = makeContender(world, hostLocal, `bare ${leases}`, hostLocal.path, {
    type: "host-local",
    ...ranges,
  });
  const ours = makeContender(world, hostLocal, `ours ${leases}`, kubeNode, { type: "kube-node", ...kept });
  for (const { stdin } of [bare, ours]) fill(stdin, leases);
  const first = await takeTurns([ours], 1, "first");
  const real = await takeTurns([bare, ours], leases > 10_000 ? 8 : 25, "real");
  const { delegate, over } = withInstantDelegate(arena, ours);
  const instant = await takeTurns([delegate, over], 40, "instant");
  return {
    leases,
    adoption: first(ours, "ADD"),
    hostLocal: { ADD: real(bare, "ADD"), DEL: real(bare, "DEL") },
    ours: { ADD: real(ours, "ADD"), DEL: real(ours, "DEL") },
    own: {
      ADD: instant(over, "ADD") - instant(delegate, "ADD"),
      DEL: instant(over, "DEL") - instant(delegate, "DEL"),
    },
  };
}

async function takeTurns(contenders: Contender[], rounds: number, tag: string) {
  const warmup = rounds > 1 ? 1 : 0;
  const samples = await runJob({ kind: "turns", tag, contenders, verbs, rounds, warmup });
  return ({ name }: Contender, verb: Verb) => median(timesOf(samples, name, verb));
}

/** Leases as host-local writes them, far behind the addresses that it gives next. */
function fill(config: string, leases: number): void {
  const { name, ipam } = JSON.parse(config) as { name: string; ipam: { dataDir: string } };
  const folder = join(ipam.dataDir, name);
  mkdirSync(folder, { recursive: true });
  for (let index = 0; index < leases; index++)
    writeFileSync(join(folder, `10.65.${index >> 8}.${index & 255}`), `container-${index}\r\neth0`);
}

/** What ours costs by itself: over a delegate of host-local's name that answers without looking at the store. */
function withInstantDelegate({ world }: Arena, ours: Contender): { delegate: Contender; over: Contender } {
  const folder = world.makeFolder("instant");
  const answer = JSON.stringify({ cniVersion: "1.0.0", ips: [{ address: "10.64.0.2/14" }] });
  const script = `#!/bin/sh
read -r _
[ "$CNI_COMMAND" != ADD ] || echo '${answer}'
`;
  writeFileSync(join(folder, "host-local"), script, { mode: 0o755 });
  const delegate = {
    ...ours,
    name: "instant",
    command: [join(folder, "host-local")],
    stdin: `${ours.stdin}\n`,
  };
  return { delegate, over: { ...ours, name: "over instant", env: { ...ours.env, CNI_PATH: folder } } };
}
