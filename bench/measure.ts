import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { type Arena, openArena } from "./arena.ts";
import { measureBursts } from "./bursts.ts";
import { countWork, measureCalls } from "./calls.ts";
import { names } from "./contenders.ts";
import { describeMachine, load } from "./machine.ts";
import { measureMemory } from "./memory.ts";
import type { Options } from "./options.ts";
import { profile } from "./profile.ts";
import type { Results } from "./results.ts";
import { rollOut } from "./rollout.ts";
import { spread } from "./statistics.ts";
import { measureStores } from "./stores.ts";
import { measureVariants } from "./variants.ts";

/** Everything that the options ask for, on this machine, in one run. Leaves nothing behind but what it returns. */
export async function measure(options: Options, output: string): Promise<Results> {
  const loadBefore = load();
  const kubeNode = join(output, "kube-node");
  const arena = await openArena(kubeNode);
  try {
    say(`${options.rounds} rounds of single calls`);
    const { rows, samples } = await measureCalls(arena, options);
    const bare = samples.filter(({ contender, verb }) => contender === names.hostLocal && verb === "ADD");
    return {
      date: new Date().toISOString(),
      version: await versionOf(kubeNode),
      rounds: options.rounds,
      machine: describeMachine(),
      versions: {
        "host-local": arena.hostLocal.label,
        "API server": arena.world.api,
        Bun: await versionOf("bun"),
      },
      calls: rows,
      work: await countWork(arena),
      executables: measureFiles(output, arena),
      ...(await measureParts(options, arena)),
      noise: { spread: spread(bare.map(({ ms }) => ms)), loadBefore, loadAfter: load() },
      notes: arena.notes,
      peers: arena.peers.map(({ name }) => name),
    };
  } finally {
    await arena.world.close();
  }
}

async function measureParts({ parts, rounds }: Options, arena: Arena): Promise<Partial<Results>> {
  const run = async <T>(part: Parameters<typeof parts.has>[0], words: string, work: () => Promise<T>) => {
    if (!parts.has(part)) return {};
    say(words);
    const found = await work();
    return found === undefined ? {} : { [part]: found };
  };
  return {
    ...(await run("bursts", "bursts", () => measureBursts(arena))),
    ...(await run("memory", "memory", () => measureMemory(arena))),
    ...(await run("stores", "stores of up to 60,000 leases", () => measureStores(arena))),
    ...(await run("profile", "where the time goes", () => profile(arena, rounds))),
    ...(await run("variants", "the executable built in other ways", () => measureVariants(arena, rounds))),
    ...(await run("rollout", "100 pods on a real node", () => rollOut(arena))),
  };
}

function measureFiles(output: string, { hostLocal, peers }: Arena): Results["executables"] {
  const files = [
    { name: "kube-node, amd64", path: join(output, "amd64/kube-node") },
    { name: "kube-node, arm64", path: join(output, "arm64/kube-node") },
    { name: "host-local", path: hostLocal.path },
    ...peers,
  ];
  return files
    .filter(({ path }) => existsSync(path))
    .map(({ name, path }) => ({ name, bytes: statSync(path).size }));
}

async function versionOf(program: string): Promise<string> {
  const { stdout } = await execa(program, ["--version"]);
  return stdout.trim();
}

function say(words: string): void {
  console.error(`bench: ${words}`);
}
