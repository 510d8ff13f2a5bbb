// node scripts/draw-map.ts [FOLDER]: docs/map.svg, and the picture in docs/commands/kubectl-kube-node-map.md, of a cluster made up
// here. A test says when they are out of date.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseIp } from "../src/address/ip.ts";
import { glyphsFor } from "../src/map/glyphs.ts";
import { drawSvg } from "../src/map/svg-map.ts";
import { drawTerminal } from "../src/map/terminal-map.ts";
import { chart, type Holder } from "../src/map/territory.ts";
import { paintFor } from "../src/terminal/paint.ts";

const root = join(import.meta.dirname, "..");
const target = process.argv[2] ?? join(root, "docs");
const page = "commands/kubectl-kube-node-map.md";
const key = "example.com/net1";
const pods = [31, 118, 12, 244, 0, 67, 90, 160, 201, 45, 18, 74];

const nodes = [
  ...pods.map((_, at) => ({
    name: `worker-${at + 1}`,
    ranges: [{ subnet: `172.20.${at}.0/24` }, { subnet: `fd00:2:0:${at.toString(16)}::/64` }],
  })),
  { name: "spare", ranges: [{ subnet: "172.20.10.128/25" }] },
];
const holders = pods.flatMap((count, at) =>
  Array.from({ length: count }, (_, pod) => [
    holder(`172.20.${at}.${pod + 2}`, at, pod),
    holder(`fd00:2:0:${at.toString(16)}::${(pod + 2).toString(16)}`, at, pod),
  ]).flat(),
);
const territory = chart(nodes, holders);

const picture = drawTerminal(territory, key, {
  width: 80,
  height: 50,
  glyphs: glyphsFor("linux", { LANG: "C.UTF-8" }),
  paint: paintFor(false, {}),
});
const before = readFileSync(join(root, "docs", page), "utf8");
const place = /(?<=<!-- map:begin -->\n```\n)[\s\S]*?(?=\n```\n<!-- map:end -->)/;
if (!place.test(before)) throw new Error(`docs/${page} has no place for the picture`);
writeFileSync(
  join(target, page),
  before.replace(place, () => picture),
);
writeFileSync(join(target, "map.svg"), drawSvg(territory, key));

function holder(text: string, node: number, pod: number): Holder {
  const address = parseIp(text);
  if (!address) throw new Error(`not an address: ${text}`);
  return { address, pod: `default/web-${node}-${pod}`, node: `worker-${node + 1}` };
}
