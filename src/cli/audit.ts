import { setTimeout as pause } from "node:timers/promises";
import { bootID, uptime } from "../host/machine.ts";
import type { Inventory } from "../lease/inventory.ts";
import { findLeaks } from "../lease/leaks.ts";
import { longestCall } from "../request/budget.ts";
import { visible } from "../text/visible.ts";
import { freeLeak, type Runtime } from "../upkeep/free-leak.ts";
import { defineCommand, list, output, toggle } from "./command.ts";
import { findGone, idsOf } from "./gone-containers.ts";
import { type NetworkChoice, networkInputs, readInventories } from "./inventories.ts";
import { type FoundLeak, formatLeaks, leakJson, summarize } from "./leak-report.ts";
import { cniPathInput, pluginFolders } from "./request.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

export const audit = defineCommand({
  name: "audit",
  summary: "what has leaked: leases without a record, records without a lease, what dead pods hold",
  details:
    "Frees nothing without --fix, and with it only what is proven: attachments of an earlier boot, records that hold no " +
    "address, empty leases. A network namespace that isn't to be seen proves nothing: where you know that a container is " +
    "gone, name it in --gone.",
  inputs: {
    fix: toggle("free what may be freed, by the plugin's own DEL, and look again"),
    gone: list(
      "ID",
      "with --fix: free what these containers hold, too; their ids, or beginnings of one's alone",
    ),
    ...networkInputs,
    cniPath: cniPathInput,
    output,
  },
  examples: [
    ["kube-node audit", "what has leaked, and why it is thought so"],
    ["kube-node audit --fix", "free what is proven dead; exit code 1 where anything is left"],
    [
      "kube-node audit --fix --gone=3f2a6f5c9e014",
      "free what a container holds that crictl doesn't know any more",
    ],
  ],
  fails: "leaks are left, or a network could not be read",
  async run({ fix, gone, cniPath, output, ...choice }, terminal) {
    if (gone.length > 0 && !fix) throw new UsageError("--gone goes with --fix: nothing is freed without it");
    const vouched = readGone(gone, choice, terminal);
    const look = () => findConfirmed(choice, vouched, terminal);
    const before = await look();
    if (!fix || before.leaks.length === 0) return report({ ...before, freed: [], fix }, output, terminal);
    const folders = pluginFolders(terminal.env, cniPath);
    const failures = await freeAll(before.leaks, { folders, env: terminal.env }, terminal);
    const after = await look();
    const left = after.leaks.map((leak) => withFailure(leak, failures));
    const names = new Set(left.map(nameOf));
    const freed = before.leaks.filter((leak) => !names.has(nameOf(leak)));
    return report({ ...after, leaks: left, freed, fix }, output, terminal);
  },
});

/** Whole ids, as of now: what begins so later is somebody else's. */
function readGone(words: string[], choice: NetworkChoice, terminal: Terminal): Set<string> {
  if (words.length === 0) return new Set();
  const { inventories, complete } = readInventories(choice, { ...terminal, note: () => {} });
  return findGone(words, { ids: idsOf(inventories), complete });
}

type Found = { leaks: FoundLeak[]; inventories: Inventory[]; complete: boolean };

/** Says what there is; the exit code. */
function report(
  found: Found & { freed: FoundLeak[]; fix: boolean },
  output: "table" | "json",
  { say, note, paint }: Terminal,
): number {
  const { leaks, freed, complete } = found;
  if (output === "json")
    say(JSON.stringify({ leaks: leaks.map(leakJson), freed: freed.map(leakJson) }, null, 2));
  else {
    if (leaks.length > 0) say(formatLeaks(leaks, paint));
    note(summarize(found));
  }
  return leaks.length === 0 && complete ? 0 : 1;
}

/** Milliseconds between two looks: an ADD or DEL that is at work in one of them is over, or further on, in the other. */
const between = 500;

/** What has leaked in two looks, one after the other. */
async function findConfirmed(choice: NetworkChoice, gone: Set<string>, terminal: Terminal): Promise<Found> {
  const first = readInventories(choice, terminal);
  const seen = new Set(leaksOf(first.inventories, gone).map(nameOf));
  if (seen.size === 0) return { leaks: [], ...first };
  await pause(between);
  const second = readInventories(choice, { ...terminal, note: () => {} });
  const leaks = leaksOf(second.inventories, gone).filter((leak) => seen.has(nameOf(leak)));
  return { ...second, leaks, complete: first.complete && second.complete };
}

function leaksOf(inventories: Inventory[], gone: Set<string>): FoundLeak[] {
  const moment = { bootID: bootID(), uptime: uptime(), longestCall };
  return inventories.flatMap((inventory) =>
    findLeaks(inventory, moment, gone).map((leak) => ({ ...leak, inventory })),
  );
}

/** One after the other; why each could not be freed, by its name. */
async function freeAll(
  leaks: FoundLeak[],
  runtime: Runtime,
  { note }: Terminal,
): Promise<Map<string, string>> {
  const failures = new Map<string, string>();
  for (const leak of leaks.filter(({ freeable }) => freeable)) {
    const failure = await freeLeak(leak, leak.inventory, runtime);
    if (failure !== undefined) failures.set(nameOf(leak), failure);
    note(visible(`${leak.inventory.network}: ${leak.subject}: ${failure ?? "freed"}`));
  }
  return failures;
}

function withFailure(leak: FoundLeak, failures: Map<string, string>): FoundLeak {
  const failure = failures.get(nameOf(leak));
  return failure === undefined ? leak : { ...leak, failure };
}

function nameOf({ inventory, kind, subject }: FoundLeak): string {
  return `${inventory.dataDir} ${inventory.network} ${kind} ${subject}`;
}
