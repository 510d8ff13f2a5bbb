import type { Paint } from "../terminal/paint.ts";
import { formatTable } from "../terminal/table.ts";
import { visible } from "../text/visible.ts";
import type { AdoptedHolding } from "../upkeep/adopt-records.ts";
import type { MovedLease } from "../upkeep/move-in.ts";
import { shorten } from "./holding-words.ts";

/** A lease of another plugin's, and what became of it. */
export type AdoptedLease = {
  from: "nv-ipam" | "host-local";
  network: string;
  addresses: string[];
  containerID: string;
  ifname: string;
  pod: { namespace?: string; name?: string; uid?: string };
  outcome: AdoptedHolding["outcome"] | MovedLease["outcome"];
  reason: string;
};

/** For people: a word for each outcome. */
const words: Record<AdoptedLease["outcome"], string> = {
  adopted: "adopted",
  taken: "taken over",
  there: "is there",
  would: "would be",
  ended: "ended",
  doubt: "DOUBT",
  elsewhere: "elsewhere",
  waits: "waits",
  left: "stays",
};

export function formatAdopted(leases: AdoptedLease[], paint: Paint): string {
  const rows = leases.map(({ network, from, outcome, addresses, containerID, ifname, pod, reason }) => [
    visible(network),
    from,
    outcome === "doubt" ? { text: words[outcome], paint: paint.red } : words[outcome],
    addresses.join(" "),
    pod.namespace || pod.name ? visible(`${pod.namespace ?? "?"}/${pod.name ?? "?"}`) : "-",
    shorten(containerID),
    ifname === "" ? "-" : visible(ifname),
    visible(reason),
  ]);
  return formatTable(["NETWORK", "FROM", "LEASE", "ADDRESS", "POD", "CONTAINER", "INTERFACE", "WHY"], rows);
}

/** The documented shape of `-o json`. */
export function adoptedJson(lease: AdoptedLease) {
  const { network, from, outcome, addresses, containerID, ifname, pod, reason } = lease;
  return {
    ...{ network, from, outcome, addresses, containerID, interface: ifname || null },
    pod: Object.keys(pod).length > 0 ? pod : null,
    reason,
  };
}

/** One line on how it stands, and what to do. */
export function summarizeAdopted(leases: AdoptedLease[], dryRun: boolean): string {
  const count = (...outcomes: AdoptedLease["outcome"][]) =>
    leases.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const [done, there, left, doubts, waiting] = [
    count("adopted", "taken", "would"),
    count("there"),
    count("left", "ended", "elsewhere"),
    count("doubt"),
    count("waits"),
  ];
  const verb = dryRun ? "would be taken over" : "taken over";
  return [
    done === 0 && leases.length === 0 ? "there is nothing to take over" : `${done} ${verb}`,
    ...(there > 0 ? [`${there} were there already`] : []),
    ...(left > 0 ? [`${left} left as they are`] : []),
    ...(waiting > 0 ? [`${waiting} wait for a block`] : []),
    ...(doubts > 0
      ? [`${doubts} in doubt: nobody gets their addresses; where a container is gone, name it in --gone`]
      : []),
  ].join("; ");
}
