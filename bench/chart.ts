import { names, peerNames } from "./contenders.ts";
import type { Verb } from "./plan.ts";
import type { Results } from "./results.ts";
import { findCall } from "./targets.ts";

/** Bars are ours, or a peer's; a number is to bare host-local, which is 1. */
type Bar = { name: string; kind: "ours" | "peer"; value: number };
type Group = { title: string; bars: Bar[] };

const width = 840;
const left = 300;
const right = width - 64;
const bar = 17;

const style = `
    .ours { fill: #2b8a4b } .peer { fill: #8fa3b8 }
    .ink { fill: #1c2733 } .soft { fill: #55606c; font-size: 12px } .rule { stroke: #1c2733; stroke-dasharray: 3 3 }
    @media (prefers-color-scheme: dark) {
      .ours { fill: #5fc884 } .peer { fill: #66788c }
      .ink { fill: #e8edf3 } .soft { fill: #a9b4c0 } .rule { stroke: #e8edf3 }
    }`;

/** The chart that the README shows, readable on light and dark. */
export function drawChart(results: Results): string {
  const calls = drawPanel("One call, in calls of bare host-local: less is better", callGroups(results), 24);
  const bursts = drawPanel(
    "200 ADDs, 32 at once: rate, host-local's being 1: more is better",
    burstGroups(results),
    calls.end + 14,
  );
  const label = `Calls and bursts of kube-node, in the measure of bare host-local, ${results.date.slice(0, 10)}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bursts.end}" font-family="system-ui, sans-serif" font-size="14" role="img" aria-label="${label}">
  <style>${style}
  </style>
${calls.svg}
${bursts.svg}
</svg>
`;
}

function callGroups(results: Results): Group[] {
  const group = (title: string, verb: Verb, own: string, mode: "cached" | "asking"): Group => {
    const value = (contender: string) => findCall(results, verb, contender)?.ratio;
    return { title, bars: toBars(results.peers, own, mode, value) };
  };
  return [
    group("ADD, ranges known", "ADD", names.kept, "cached"),
    group("ADD that asks the API server", "ADD", names.asking, "asking"),
    group("CHECK", "CHECK", names.kept, "cached"),
    group("DEL", "DEL", names.kept, "cached"),
  ];
}

function burstGroups({ bursts = [], peers }: Results): Group[] {
  const value = (contender: string) => bursts.find((row) => row.contender === contender)?.ratio;
  return [
    { title: "ranges known", bars: toBars(peers, names.kept, "cached", value) },
    { title: "asking the API server", bars: toBars(peers, names.asking, "asking", value) },
  ];
}

/** Ours first, then each peer; those that were measured. */
function toBars(
  peers: string[],
  own: string,
  mode: "cached" | "asking",
  measured: (contender: string) => number | undefined,
): Bar[] {
  const ours = { name: "kube-node", kind: "ours" as const, value: measured(own) };
  const others = peers.map((name) => ({
    name,
    kind: "peer" as const,
    value: measured(peerNames({ name })[mode]),
  }));
  return [ours, ...others].flatMap(({ name, kind, value }) =>
    value === undefined ? [] : [{ name, kind, value }],
  );
}

function drawPanel(title: string, all: Group[], top: number): { svg: string; end: number } {
  const groups = all.filter(({ bars }) => bars.length > 0);
  if (groups.length === 0) return { svg: "", end: top };
  const most = Math.max(1, ...groups.flatMap(({ bars }) => bars.map(({ value }) => value)));
  const x = (value: number) => left + ((right - left) * value) / most;
  const parts = [`  <text class="ink" x="16" y="${top}" font-weight="600">${title}</text>`];
  let y = top + 16;
  for (const { title: name, bars } of groups) {
    parts.push(`  <text class="ink" x="16" y="${y + bar - 4}">${name}</text>`);
    for (const one of bars) {
      parts.push(drawBar(one, y, x));
      y += bar + 3;
    }
    y += 9;
  }
  const end = y;
  parts.push(`  <path class="rule" d="M${x(1).toFixed(1)} ${top + 10}V${end - 4}"/>`);
  parts.push(
    `  <text class="soft" x="${x(1).toFixed(1)}" y="${end + 9}" text-anchor="middle">host-local</text>`,
  );
  return { svg: parts.join("\n"), end: end + 18 };
}

function drawBar({ name, kind, value }: Bar, y: number, x: (value: number) => number): string {
  const [from, to] = [x(0), x(value)];
  return [
    `  <text class="soft" x="${left - 6}" y="${y + bar - 4}" text-anchor="end">${name}</text>`,
    `  <rect class="${kind}" x="${from}" y="${y}" width="${(to - from).toFixed(1)}" height="${bar}" rx="3"/>`,
    `  <text class="ink" x="${(to + 6).toFixed(1)}" y="${y + bar - 4}">${value.toFixed(2)}</text>`,
  ].join("\n");
}
