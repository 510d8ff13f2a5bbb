// Writes the numbers of a run into the chart, README.md and docs/performance.md: node bench/report.ts _output/bench.json
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "../test/parts/tools.ts";
import { drawChart } from "./chart.ts";
import { names, peerNames } from "./contenders.ts";
import { describeResults, describeRun } from "./describe.ts";
import type { Results } from "./results.ts";
import { type Cell, formatTable } from "./table.ts";
import { findCall } from "./targets.ts";

const begin = "<!-- bench:begin -->";
const end = "<!-- bench:end -->";

if (import.meta.main) {
  const [file] = process.argv.slice(2);
  if (file === undefined) {
    console.error("usage: node bench/report.ts _output/bench.json");
    process.exitCode = 1;
  } else {
    writeReport(JSON.parse(readFileSync(file, "utf8")) as Results);
  }
}

/** Into the files below `root`; one without the markers is left as it is, and said so. */
export function writeReport(results: Results, root: string = checkout): void {
  writeFileSync(join(root, "docs/bench.svg"), drawChart(results));
  fill(join(root, "README.md"), summarize(results));
  fill(join(root, "docs/performance.md"), describeResults(results));
}

/** Puts the text between the markers. */
export function fill(path: string, text: string): void {
  const old = existsSync(path) ? readFileSync(path, "utf8") : "";
  const [before, rest] = split(old, begin);
  const [, after] = split(rest ?? "", end);
  if (rest === undefined || after === undefined) {
    console.error(`bench: ${path} has no lines ${begin} and ${end}: it stays as it is`);
    return;
  }
  writeFileSync(path, `${before}${begin}\n${text}\n${end}${after}`);
}

/** Before and after the first of its kind; the second is undefined where there is none. */
function split(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + mark.length)];
}

/** What the README shows: the chart, and the medians of whole processes. */
function summarize(results: Results): string {
  const peers = results.peers.map((name) => peerNames({ name }));
  const p50 = (verb: "ADD" | "CHECK" | "DEL", contender: string): Cell =>
    findCall(results, verb, contender)?.p50.toFixed(1);
  const row = (title: string, verb: "ADD" | "CHECK" | "DEL", own: string, mode: "cached" | "asking") => [
    title,
    p50(verb, names.hostLocal),
    p50(verb, own),
    ...peers.map((peer) => p50(verb, peer[mode])),
  ];
  const rate = (contender: string): Cell =>
    results.bursts?.find((one) => one.contender === contender)?.rate.toFixed(0);
  const table = formatTable(
    ["p50 in milliseconds", "host-local", "kube-node", ...results.peers],
    [
      row("ADD, podCIDRs known", "ADD", names.kept, "cached"),
      row("ADD, agent's file", "ADD", names.agent, "cached"),
      row("ADD that asks the API server", "ADD", names.asking, "asking"),
      row("CHECK", "CHECK", names.kept, "cached"),
      row("DEL", "DEL", names.kept, "cached"),
      [
        "ADDs a second, 32 at once",
        rate(names.hostLocal),
        rate(names.kept),
        ...peers.map(({ cached }) => rate(cached)),
      ],
    ],
  );
  return `![One call and a burst, in the measure of bare host-local](docs/bench.svg)\n\n${table}\n\n${describeRun({ ...results, notes: [] })}`;
}
