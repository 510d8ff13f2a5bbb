import { describe, expect, it } from "vitest";
import { glyphsFor } from "../../src/map/glyphs.ts";
import { drawTerminal, type Window } from "../../src/map/terminal-map.ts";
import { paintFor } from "../../src/terminal/paint.ts";
import { rowOfNodes, territoryOf, troubled, type World } from "./world.ts";

const plain = paintFor(false, {});
const unicode = glyphsFor("linux", { LANG: "en_GB.UTF-8" });
const ascii = glyphsFor("linux", { LANG: "C" });

const uneven = (index: number): number => (index * 37) % 250;
const dual = ["172.20.0.0/16 /24", "fd00:10::/48 /64"];

/** Every picture is a document in pictures/; `vitest -u` writes them anew. */
const pictures: Record<string, { world: World; window?: Partial<Window> }> = {
  "three-nodes": { world: rowOfNodes(3, dual, uneven) },
  "hundred-nodes": { world: rowOfNodes(100, dual, uneven) },
  "five-thousand-nodes": {
    world: rowOfNodes(5000, ["10.0.0.0/8 /24"], (index) => uneven(index) >> 3),
    window: { width: 120, height: 40 },
  },
  "ascii-alone": { world: rowOfNodes(40, ["172.20.0.0/16 /24"], uneven), window: { glyphs: ascii } },
  "narrow-window": {
    world: rowOfNodes(40, ["172.20.0.0/16 /24"], uneven),
    window: { width: 40, height: 16 },
  },
  troubles: { world: troubled },
  "far-apart": {
    world: { nodes: { a: "10.0.0.0/24", b: "10.0.1.0/24", c: "192.168.1.0/24", d: "192.168.2.0/24" } },
  },
  "within-a-network": { world: { ...rowOfNodes(5, ["10.1.2.0/16 /24"], uneven), cidrs: ["10.1.0.0/20"] } },
  "within-a-block": {
    world: {
      ...rowOfNodes(5, ["10.1.2.0/16 /24", "fd00:10::/48 /64"], uneven),
      cidrs: [
        "10.1.2.64/26",
        "10.1.2.4/31",
        "10.1.2.5/32",
        "fd00:10::/80",
        "fd00:10::/126",
        "fd00:10::1/128",
      ],
    },
    window: { height: 45 },
  },
  "no-ranges": { world: { nodes: {} } },
};

describe("a picture in the terminal", () => {
  it.each(Object.entries(pictures))("%s", async (name, { world, window }) => {
    const whole = { width: 80, height: 24, glyphs: unicode, paint: plain, ...window };
    const picture = drawTerminal(territoryOf(world), "example.com/net1", whole);
    await expect(`${picture}\n`).toMatchFileSnapshot(`pictures/${name}.txt`);
    const lines = picture.split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(whole.width);
    expect(lines.length).toBeLessThan(whole.height);
  });

  it("has colours for nodes, each different from its neighbours'", () => {
    const window = { width: 80, height: 24, glyphs: unicode, paint: paintFor(true, {}) };
    const picture = drawTerminal(territoryOf(rowOfNodes(40, ["10.1.0.0/16 /24"], uneven)), "key", window);
    const rows = picture.split("\n").filter((line) => /10\.1\.\d+\.0 *\u001b/.test(line));
    const colours = [...rows.join("").matchAll(/\u001b\[3([1-6])m/g)].map(([, colour]) => colour);
    expect(colours.length).toBe(40);
    for (const [at, colour] of colours.entries()) expect(colour).not.toBe(colours[at + 1]);
  });

  it.each([
    ["linux", { LANG: "de_AT.UTF-8" }, true],
    ["linux", { LANG: "de_AT.utf8", LC_ALL: "C" }, false],
    ["linux", {}, false],
    ["linux", { LANG: "C.UTF-8", TERM: "dumb" }, false],
    ["darwin", {}, true],
    ["win32", {}, true],
  ])("on %s with %j has block characters: %s", (platform, env, isUnicode) => {
    expect(glyphsFor(platform, env)).toEqual(isUnicode ? unicode : ascii);
  });
});
