import { names, peerNames } from "./contenders.ts";
import type { CallRow, ProfileTable, Results } from "./results.ts";
import { type Cell, formatTable } from "./table.ts";
import { findCall, judge } from "./targets.ts";

/** Everything that was measured, as text that is Markdown too. */
export function describeResults(results: Results): string {
  const { bursts, memory, stores, rollout, variants } = results;
  const sections = [
    ["", describeRun(results)],
    ["What was to be reached", targetTable(results)],
    ["Single calls", callTable(results)],
    ["Bursts", bursts && burstTable(bursts)],
    ["Memory", memory && memoryTable(memory)],
    ["Stores", stores && storeTable(stores)],
    ["100 pods on a real node", rollout && rolloutTable(rollout)],
    ["Where the time goes", results.profile?.map(profileTable).join("\n\n")],
    ["Built in other ways", variants && variantTable(variants)],
    ["Executables", fileTable(results.executables)],
  ];
  return sections
    .filter((section) => section[1])
    .map(([title, text]) => (title ? `### ${title}\n\n${text}` : text))
    .join("\n\n");
}

/** When, where and on what; how noisy it was; what was left out. */
export function describeRun({ date, version, machine, versions, noise, rounds, notes }: Results): string {
  const { processor, processors, memoryGiB, kernel } = machine;
  const found = Object.entries(versions).map(([name, words]) => `${name} ${words}`);
  return [
    `${date.slice(0, 10)}, ${version}; ${processors} × ${processor}, ${memoryGiB} GiB, Linux ${kernel}; ${found.join(", ")}.`,
    `${rounds} rounds in turn, whole processes. Noise: the middle half of host-local's own ADDs lies within`,
    `${percent(noise.spread)} of their median; load ${noise.loadBefore.toFixed(1)} before, ${noise.loadAfter.toFixed(1)} after.`,
    ...notes.map((note) => `Not measured: ${note}.`),
  ].join("\n");
}

/** h: one call of bare host-local. */
export function targetTable(results: Results): string {
  const words = { true: "yes", false: "**no**", undefined: "not measured" };
  const rows = judge(results).map(({ what, limit, value, reached }) => [
    what,
    limit,
    value?.toFixed(2),
    words[`${reached}`],
  ]);
  return formatTable(["what", "to be reached", "measured", "reached"], rows);
}

export function callTable(results: Results): string {
  const peer = results.peers[0];
  const head = ["call", "by", "p50 ms", "p95 ms", "× host-local", "added ms"];
  const rows = results.calls.map((row): Cell[] => {
    const { verb, contender, p50, p95, ratio, added, cpu } = row;
    const work = results.work.find((one) => one.verb === verb && one.contender === contender);
    const isBare = contender === names.hostLocal;
    return [
      verb,
      contender,
      p50.toFixed(1),
      p95.toFixed(1),
      ratio.toFixed(2),
      isBare ? "" : added.toFixed(1),
      ...(peer === undefined ? [] : [addedToPeer(results, row, peer)]),
      cpu.toFixed(1),
      work?.systemCalls,
      work?.requests,
    ];
  });
  const toPeer = peer === undefined ? [] : [`added, to ${peer}'s`];
  return formatTable([...head, ...toPeer, "CPU ms", "system calls", "requests"], rows);
}

/** Ours that asks is compared with a peer that asks, all else with one that has its cache. */
function addedToPeer(results: Results, { verb, contender, added }: CallRow, peer: string): string {
  const ours: string[] = [names.kept, names.agent, names.asking];
  if (!ours.includes(contender)) return "";
  const { cached, asking } = peerNames({ name: peer });
  const other = findCall(results, verb, contender === names.asking && verb === "ADD" ? asking : cached);
  return other ? (added / other.added).toFixed(2) : "";
}

function burstTable(rows: NonNullable<Results["bursts"]>): string {
  return formatTable(
    ["200 ADDs, 32 at once", "a second", "to host-local's", "requests for 100 ADDs together"],
    rows.map(({ contender, rate, ratio, requests }) => [
      contender,
      rate.toFixed(0),
      ratio.toFixed(2),
      requests,
    ]),
  );
}

function memoryTable(rows: NonNullable<Results["memory"]>): string {
  return formatTable(
    ["resident, MiB", "at most", "while it is held up", "of that private, others running"],
    rows.map(({ contender, peak, held }) => [
      contender,
      peak.toFixed(1),
      held?.resident.toFixed(1),
      held?.private.toFixed(1),
    ]),
  );
}

function storeTable(rows: NonNullable<Results["stores"]>): string {
  const pair = ({ ADD, DEL }: { ADD: number; DEL: number }) => [ADD.toFixed(1), DEL.toFixed(1)];
  return formatTable(
    [
      "leases",
      "host-local: ADD ms",
      "DEL",
      "ours: ADD",
      "DEL",
      "ours alone: ADD",
      "DEL",
      "first ADD (adopts)",
    ],
    rows.map(({ leases, hostLocal, ours, own, adoption }) => [
      leases.toLocaleString("en"),
      ...[hostLocal, ours, own].flatMap(pair),
      adoption.toFixed(0),
    ]),
  );
}

function rolloutTable(rows: NonNullable<Results["rollout"]>): string {
  return formatTable(
    ["by", "seconds, turn by turn", "to host-local's"],
    rows.map(({ contender, seconds, ratio }) => [
      contender,
      seconds.map((one) => one.toFixed(1)).join(" · "),
      ratio.toFixed(3),
    ]),
  );
}

function profileTable({ title, total, stages }: ProfileTable): string {
  const rows = stages.map(({ stage, ms, within }) => [within ? `… of which ${stage}` : stage, ms.toFixed(2)]);
  return formatTable([title, "ms"], [...rows, ["whole process", total.toFixed(2)]]);
}

function variantTable(rows: NonNullable<Results["variants"]>): string {
  return formatTable(
    ["built or started", "ADD ms", "saves", "DEL ms", "saves", "CPU saved", "MiB", "file MB"],
    rows.map(({ name, ADD, DEL, saves, peak, bytes }) => [
      name,
      ...[ADD, saves.ADD, DEL, saves.DEL, saves.cpu].map((ms) => ms.toFixed(2)),
      peak.toFixed(1),
      megabytes(bytes),
    ]),
  );
}

function fileTable(rows: Results["executables"]): string {
  return formatTable(
    ["file", "MB"],
    rows.map(({ name, bytes }) => [name, megabytes(bytes)]),
  );
}

const percent = (part: number): string => `${(part * 100).toFixed(0)} %`;
const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
