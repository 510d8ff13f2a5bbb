import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { copyExecutable } from "../src/agent/copy-executable.ts";
import { type HostLocal, hostLocals } from "../test/parts/tools.ts";
import { privateMounts } from "../test/real/parts/private-mounts.ts";
import * as contenders from "./contenders.ts";
import { compile } from "./executables.ts";
import type { Contender } from "./plan.ts";
import { openWorld, type World } from "./world.ts";

/** The world with all who run in it. */
export type Arena = {
  world: World;
  hostLocal: HostLocal;
  kubeNode: string;
  peers: contenders.Peer[];
  contenders: Contender[];
  /** Folders that only the contenders see. */
  mounts: Record<string, string>;
  /** What was left out, and why. */
  notes: string[];
};

export async function openArena(built: string): Promise<Arena> {
  if (!existsSync(built)) throw new Error("there is no kube-node to measure: run ./build.sh binaries");
  const bare = newestHostLocal();
  const named = contenders.parsePeers(process.env["BENCH_PEERS"]);
  const world = await openWorld();
  const kubeNode = await install(world, "kube-node", built);
  const path = await install(world, "host-local", bare.path);
  const hostLocal = { ...bare, path, folder: dirname(path) };
  const peers: contenders.Peer[] = [];
  for (const peer of named) peers.push({ ...peer, path: await install(world, peer.name, peer.path) });
  const arena: Arena = { world, hostLocal, kubeNode, peers, contenders: [], mounts: {}, notes: [] };
  arena.contenders = [
    contenders.bareHostLocal(world, hostLocal),
    contenders.emptyExecutable(hostLocal, await compile("bench/empty.ts", join(world.folder, "empty"))),
    contenders.oursKept(world, hostLocal, kubeNode),
    ...admitAgent(arena),
    contenders.oursAsking(world, hostLocal, kubeNode),
    ...peers.flatMap((peer) => contenders.peerContenders(world, hostLocal, peer)),
  ];
  if (peers.length === 0) arena.notes.push("no peers: BENCH_PEERS is empty");
  return arena;
}

/**
 * A copy, written as our installers write it. What is in memory since then is there in large pieces; read in by need, as after a
 * reboot, it is there page by page, which costs each call of a large executable over a millisecond (docs/performance.md).
 */
async function install(world: World, name: string, from: string): Promise<string> {
  const to = join(world.makeFolder(`installed/${name}`), basename(from));
  await copyExecutable(from, to);
  return to;
}

/** The folder of the agent's files is made for the contenders alone, where this user may do that. */
function admitAgent(arena: Arena): Contender[] {
  const { world, hostLocal, kubeNode, notes, mounts } = arena;
  const missing = privateMounts().missing ?? (world.machineID === undefined ? "/etc/machine-id" : undefined);
  if (missing !== undefined) {
    notes.push(`${contenders.names.agent}: left out without ${missing}`);
    return [];
  }
  mounts[contenders.agentFolder] = world.makeFolder("agent");
  const bootID = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return [contenders.oursByAgent(world, hostLocal, kubeNode, bootID)];
}

function newestHostLocal(): HostLocal {
  const byVersion = (a: HostLocal, b: HostLocal) => a.label.localeCompare(b.label, "en", { numeric: true });
  const newest = hostLocals().toSorted(byVersion).at(-1);
  if (newest === undefined)
    throw new Error("no host-local was found: install the package containernetworking-plugins");
  return newest;
}
