import type { PlannerResults } from "./pools-results.ts";

const width = 840;
const height = 400;
const [left, right, top, bottom] = [70, width - 230, 44, height - 46];

const style = `
    .full { stroke: #2b8a4b } .again { stroke: #2f6fb0 } .more { stroke: #b0562f } .placed { stroke: #7a4fb0 }
    .full, .again, .more, .placed { fill: none; stroke-width: 2.5 }
    .ink { fill: #1c2733 } .soft { fill: #55606c; font-size: 12px } .rule { stroke: #c3ccd6 } .goal { stroke: #1c2733; stroke-dasharray: 3 3 }
    @media (prefers-color-scheme: dark) {
      .full { stroke: #5fc884 } .again { stroke: #74b0ea } .more { stroke: #ea9a74 } .placed { stroke: #b894ea }
      .ink { fill: #e8edf3 } .soft { fill: #a9b4c0 } .rule { stroke: #3a4654 } .goal { stroke: #e8edf3 }
    }`;

/** Cost over nodes, both as powers of ten; readable on light and dark. */
export function drawPoolChart({ growth }: PlannerResults): string {
  const lines = [
    { kind: "full", name: "all nodes, from nothing", values: growth.map(({ full }) => full) },
    { kind: "again", name: "all placed: a start", values: growth.map(({ again }) => again) },
    { kind: "more", name: "one node more", values: growth.map(({ oneMore }) => oneMore.p50) },
    { kind: "placed", name: "… in the index alone", values: growth.map(({ placed }) => placed) },
  ];
  const nodes = growth.map((row) => row.nodes);
  const [low, high] = powers([...lines.flatMap(({ values }) => values), 0.2]);
  const [few, many] = powers(nodes);
  const x = (value: number) => scale(Math.log10(value), [few, many], [left, right]);
  const y = (value: number) => scale(Math.log10(value), [low, high], [bottom, top]);
  const rules = Array.from({ length: high - low + 1 }, (_, i) => low + i).map((power) => {
    const at = y(10 ** power).toFixed(1);
    return `  <path class="rule" d="M${left} ${at}H${right}"/><text class="soft" x="${left - 8}" y="${Number(at) + 4}" text-anchor="end">${nameTime(power)}</text>`;
  });
  const ticks = nodes.map(
    (value) =>
      `  <text class="soft" x="${x(value).toFixed(1)}" y="${bottom + 18}" text-anchor="middle">${value.toLocaleString("en-US")}</text>`,
  );
  const drawn = lines.map(({ kind, values }) => {
    const points = values.map((value, i) => `${x(nodes[i] as number).toFixed(1)} ${y(value).toFixed(1)}`);
    return `  <path class="${kind}" d="M${points.join("L")}"/>`;
  });
  const ends = lines.map(({ kind, name, values }) => ({ kind, name, at: y(values.at(-1) as number) }));
  const names = spread(ends).map(
    ({ kind, name, at }) =>
      `  <path class="${kind}" d="M${right + 8} ${at.toFixed(1)}h12"/><text class="ink" x="${right + 26}" y="${(at + 4).toFixed(1)}">${name}</text>`,
  );
  const goal = y(0.2).toFixed(1);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="14" role="img" aria-label="What planning costs over the number of nodes">
  <style>${style}
  </style>
  <text class="ink" x="16" y="24" font-weight="600">What planning a pool of 2⁶⁴ blocks costs, over its nodes: less is better</text>
${rules.join("\n")}
${ticks.join("\n")}
  <text class="soft" x="${(left + right) / 2}" y="${bottom + 38}" text-anchor="middle">nodes</text>
  <path class="goal" d="M${left} ${goal}H${right}"/><text class="soft" x="${right + 10}" y="${Number(goal) + 4}">0.2 ms: the goal for one more</text>
${drawn.join("\n")}
${names.join("\n")}
</svg>
`;
}

/** From top to bottom, so far apart that their texts can be read. */
function spread<Name extends { at: number }>(names: Name[]): Name[] {
  let lowest = Number.NEGATIVE_INFINITY;
  return names
    .toSorted((a, b) => a.at - b.at)
    .map((one) => {
      lowest = Math.max(one.at, lowest + 18);
      return { ...one, at: lowest };
    });
}

/** The powers of ten around the numbers. */
function powers(values: number[]): [low: number, high: number] {
  return [Math.floor(Math.log10(Math.min(...values))), Math.ceil(Math.log10(Math.max(...values)))];
}

function scale(value: number, [from, to]: [number, number], [start, end]: [number, number]): number {
  return start + ((value - from) / (to - from)) * (end - start);
}

/** Of a power of ten of milliseconds. */
function nameTime(power: number): string {
  if (power >= 3) return `${10 ** (power - 3)} s`;
  return power >= 0 ? `${10 ** power} ms` : `${10 ** (power + 3)} µs`;
}
