import type { Inventory } from "../lease/inventory.ts";
import type { Leak } from "../lease/leaks.ts";
import type { Paint } from "../terminal/paint.ts";
import { formatTable } from "../terminal/table.ts";
import { visible } from "../text/visible.ts";
import { describePod, shorten } from "./holding-words.ts";

/** A leak, where it was found, and why it could not be freed where that was tried. */
export type FoundLeak = Leak & { inventory: Inventory; failure?: string };

export function formatLeaks(leaks: FoundLeak[], paint: Paint): string {
  const rows = leaks.map((leak) => [
    leak.inventory.network,
    { text: leak.kind, paint: leak.freeable ? paint.red : paint.yellow },
    leak.holding?.leases.length === 0 ? "-" : visible(leak.subject),
    (leak.holding && describePod(leak.holding)) ?? "-",
    leak.holding ? shorten(leak.holding.containerID) : "-",
    leak.holding?.ifname ? visible(leak.holding.ifname) : "-",
    reasonOf(leak),
  ]);
  return formatTable(["NETWORK", "LEAK", "ADDRESS OR FILE", "POD", "CONTAINER", "INTERFACE", "WHY"], rows);
}

function reasonOf({ reason, failure }: FoundLeak): string {
  return visible(failure === undefined ? reason : `${reason}; could not be freed: ${failure}`);
}

/** The documented shape of `-o json`. */
export function leakJson(leak: FoundLeak) {
  const { inventory, kind, subject, reason, holding, freeable, failure } = leak;
  return {
    network: inventory.network,
    dataDir: inventory.dataDir,
    leak: kind,
    subject,
    containerID: holding?.containerID ?? null,
    interface: holding?.ifname || null,
    pod: holding?.record?.record?.pod ?? null,
    reason,
    freeable,
    error: failure ?? null,
  };
}

type Summary = { leaks: FoundLeak[]; freed: FoundLeak[]; inventories: Inventory[]; fix: boolean };

/** One line on how it stands, and what to do. */
export function summarize({ leaks: left, freed, inventories, fix }: Summary): string {
  const freeable = left.filter((leak) => leak.freeable).length;
  const unknown =
    inventories.flatMap(({ holdings }) => holdings).filter(isUnknown).length - countUnknown(left);
  const parts = [
    ...(fix ? [`${freed.length} freed`] : []),
    left.length === 0 ? "nothing has leaked" : `${left.length} ${fix ? "left" : "leaked"}`,
    ...(unknown > 0 ? [`${unknown} more can't be judged (kube-node show -o json says why)`] : []),
    ...(!fix && freeable > 0 ? [`kube-node audit --fix frees ${freeable}`] : []),
    ...(left.length > freeable ? [adviceOn(left)] : []),
  ];
  return parts.join("; ");
}

function isUnknown({ verdict }: { verdict: { state: string } }): boolean {
  return verdict.state === "unknown";
}

function countUnknown(leaks: FoundLeak[]): number {
  return leaks.filter(({ holding }) => holding && isUnknown(holding)).length;
}

/** Of what isn't freed unasked. */
function adviceOn(left: FoundLeak[]): string {
  const doubtful = left.some(({ holding, freeable }) => holding && !freeable && isUnknown(holding));
  const foreign = left.some(({ kind }) => kind === "foreign-file");
  return [
    ...(doubtful ? ["where crictl ps -a doesn't know a container, --fix --gone=ID frees what it holds"] : []),
    ...(foreign ? ["foreign files are yours to remove"] : []),
  ].join("; ");
}
