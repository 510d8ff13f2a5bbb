import { copyFileSync, existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execaSync } from "execa";
import { parsePeers, toRanges } from "../../../bench/contenders.ts";
import { runFolder } from "../../parts/run-folder.ts";
import { checkout } from "../../parts/tools.ts";
import type { Subject } from "./subjects.ts";
import type { makeWorker, Worker } from "./worker.ts";

type Program = "kube-node" | "node-annotation";

/** What served a machine's pods before ours: an executable in the place of ours, or another type in the configuration. */
export type OldWay = {
  name: string;
  /** What is called by its name in CNI_PATH; absent where the configuration names host-local. */
  program?: Program;
  /** `ipam.type` of its configurations. */
  type: Program | "host-local";
  /** Makes the executable; gives its path. */
  make?(worker: Worker, subject: Subject, ranges: string[]): string;
  /** Of the Node, and whose credentials there are. */
  spec?: Parameters<typeof makeWorker>[2];
};

/** Programs that do what reference descriptions say of the originals, a version of ours before this one, and bare host-local. */
export const oldWays: OldWay[] = [
  { name: "the Go kube-node's stand-in", program: "kube-node", type: "kube-node", make: makeStandIn },
  {
    name: "node-annotation's stand-in",
    program: "node-annotation",
    type: "node-annotation",
    make: makeStandIn,
  },
  { name: "host-local by itself", type: "host-local" },
  { name: "another version of ours", program: "kube-node", type: "kube-node", make: makeOtherVersion },
];

/** Originals that $BENCH_PEERS names; they list Nodes, which a kubelet may not. */
export function originals(): OldWay[] {
  return parsePeers(process.env["BENCH_PEERS"]).map(({ name, path }) => ({
    name: `${name}, the original itself`,
    program: "kube-node",
    type: "kube-node",
    make: () => path,
    spec: { identity: { kind: "admin" } },
  }));
}

/** An executable takes the place of what is called `name`, in one step. */
export function swapIn({ bin }: Worker, name: string, executable: string): void {
  const next = join(bin, `.${name}.next`);
  rmSync(next, { force: true });
  try {
    linkSync(executable, next);
  } catch {
    copyFileSync(executable, next); // From another file system.
  }
  renameSync(next, join(bin, name));
  rmSync(next, { force: true }); // Where it was that very file before, rename has left the name.
}

/** Compiled once: a script would be opened a second time by its interpreter, and that may be after the swap. */
function makeStandIn({ bin }: Worker, _subject: Subject, subnets: string[]): string {
  writeFileSync(join(bin, "old-ranges.json"), JSON.stringify(toRanges(subnets)));
  const path = join(runFolder(), "old-programs");
  if (!existsSync(path)) {
    const source = fileURLToPath(new URL("old-programs.ts", import.meta.url));
    const draft = `${path}.${process.pid}`;
    execaSync(join(checkout, "node_modules/.bin/bun"), ["build", "--compile", source, "--outfile", draft]);
    renameSync(draft, path);
  }
  return path;
}

/** What says its version is written over in a copy, in its length. */
function makeOtherVersion({ folder }: Worker, { executable }: Subject): string {
  const [ours = ""] = executable.command("kube-node");
  const version = versionOf(ours);
  const other = `9${version.slice(1)}`;
  const path = join(folder, "other-version");
  const text = readFileSync(ours, "latin1").replaceAll(version, other);
  writeFileSync(path, text, { encoding: "latin1", mode: 0o755 });
  if (versionOf(path) !== other) throw new Error(`${ours} couldn't be given the version ${other}`);
  return path;
}

function versionOf(executable: string): string {
  return execaSync(executable, ["-version"]).stdout.split(" ")[1] ?? "";
}
