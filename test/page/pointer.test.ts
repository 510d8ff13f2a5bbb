import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blockRows } from "../../src/page/block-rows.ts";
import { createPointer } from "../../src/page/pointer.ts";
import { spaceRows } from "../../src/page/space-rows.ts";
import { formatView, parseView, type View, wayTo } from "../../src/page/view.ts";
import { rowOfNodes, territoryOf, troubled } from "../map/world.ts";

const territory = territoryOf(rowOfNodes(30, ["10.0.0.0/16 /24", "fd00::/48 /64"], (index) => index));
const look = { width: 800, canOpen: true, contested: new Set<never>() };
const rows = territory.sections.flatMap((section) => spaceRows(section, look));
const keys = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "PageUp", "PageDown", "Home", "End"];

describe("moving about with the keyboard", () => {
  it("begins at the first block", () => {
    expect(createPointer(rows).item()?.words).toContain("node-1 10.0.0.0/24");
  });

  it("always is at something, in a row that has it", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...keys), fc.boolean())), (moves) => {
        const pointer = createPointer(rows);
        for (const [key, isControl] of moves) {
          expect(pointer.move(key, isControl)).toBe(true);
          const item = pointer.item();
          expect(item && rows[pointer.row()]?.items).toContain(item);
        }
      }),
    );
  });

  it("comes by everything with → alone, once", () => {
    const pointer = createPointer(rows);
    pointer.move("Home", true);
    const seen = new Set<unknown>();
    for (let item = pointer.item(); item && !seen.has(item); item = pointer.item()) {
      seen.add(item);
      pointer.move("ArrowRight", false);
    }
    expect(seen).toEqual(new Set(rows.flatMap(({ items }) => items)));
  });

  it("leaves other keys to others", () => {
    expect(createPointer(rows).move("a", false)).toBe(false);
    expect(createPointer([]).item()).toBeUndefined();
  });
});

describe("a block's addresses", () => {
  it("are all there in a /24, with what is kept and why", () => {
    const [block] = territoryOf({
      nodes: { a: "10.0.0.0/24" },
      pods: { "default/x@a": ["10.0.0.9"] },
    }).blocks;
    if (!block) throw new Error("no block");
    const items = blockRows(block, 8).flatMap(({ items }) => items);
    expect(items).toHaveLength(256);
    expect(items.filter(({ look }) => look !== "unheld").map(({ words }) => words)).toEqual([
      "10.0.0.0: network",
      "10.0.0.1: gateway",
      "10.0.0.9: default/x",
      "10.0.0.255: broadcast",
    ]);
  });

  it("are those near pods in a /64, and one that was asked for", () => {
    const pods = { "default/x@a": ["fd00::9", "fd00::1:0:0:1"] };
    const [block] = territoryOf({ nodes: { a: "fd00::/64" }, pods }).blocks;
    if (!block) throw new Error("no block");
    const labels = (wanted?: bigint): string[] =>
      blockRows(block, 8, wanted === undefined ? undefined : { family: 6, value: wanted })
        .filter(({ kind }) => kind === "tiles")
        .map(({ label }) => label);
    expect(labels()).toEqual(["fd00::", "fd00::8", "fd00::1:0:0:0"]);
    expect(labels(block.span.first.value + 0xabcdn)).toContain("fd00::abc8");
  });

  it("of a part of a subnet begin and end where it does", () => {
    const [block] = territoryOf(troubled).blocks.filter(({ node }) => node === "delta");
    if (!block) throw new Error("no block");
    const items = blockRows(block, 8).flatMap(({ items }) => items);
    expect([items.length, items[0]?.key, items.at(-1)?.key]).toEqual([100, "10.8.3.0", "10.8.3.99"]);
  });
});

describe("a view's place in the page's address", () => {
  it("leads back to the view", () => {
    const views: View[] = [
      { kind: "all" },
      ...territory.sections.map((section): View => ({ kind: "section", section })),
      ...territory.blocks.map((block): View => ({ kind: "block", block })),
    ];
    for (const view of views) expect(parseView(formatView(view), territory)).toEqual(view);
    expect(parseView("no/such", territory)).toEqual({ kind: "all" });
  });

  it("has a section on the way only where there are several", () => {
    const alone = territoryOf({ nodes: { a: "10.0.0.0/24" } });
    const [block] = alone.blocks;
    if (!block) throw new Error("no block");
    expect(wayTo({ kind: "block", block }, alone).map(({ kind }) => kind)).toEqual(["all", "block"]);
    const [other] = territory.blocks;
    if (!other) throw new Error("no block");
    expect(wayTo({ kind: "block", block: other }, territory).map(({ kind }) => kind)).toEqual([
      "all",
      "section",
      "block",
    ]);
  });
});
