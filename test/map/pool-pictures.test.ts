// A pool in the SVG and on the page: what is excluded, what closes, and no gateway where it has none.
import { describe, expect, it } from "vitest";
import { type Packed, pack, unpack } from "../../src/map/pack.ts";
import { renderPage } from "../../src/map/page.ts";
import { drawSvg } from "../../src/map/svg-map.ts";
import type { Territory } from "../../src/map/territory.ts";
import { blockRows } from "../../src/page/block-rows.ts";
import { excludedOf } from "../../src/page/excluded-of.ts";
import { createFinder } from "../../src/page/finder.ts";
import { spaceRows } from "../../src/page/space-rows.ts";
import { pooled, poolTerritory } from "./pool-world.ts";
import { rowOfNodes, territoryOf } from "./world.ts";

const plain = territoryOf(rowOfNodes(3, ["10.0.0.0/16 /24"], () => 3));

/** As the page's script gets it. */
function sent(territory: Territory): Territory {
  return unpack(JSON.parse(JSON.stringify(pack(territory))) as Packed);
}

/** Addresses of a block that no pod is given, and who has one, as the page says it. */
function said(territory: Territory, at = 0): string[] {
  const block = territory.blocks[at];
  if (!block) throw new Error("no block");
  return blockRows(block, 8, undefined, excludedOf(territory, block)).flatMap(({ items }) =>
    items.flatMap(({ look, words }) => (look === "unheld" ? [] : [words])),
  );
}

describe("an SVG of a pool", () => {
  const svg = drawSvg(pooled, "ippool/a");
  const tiles = [...svg.matchAll(/<rect class="([^"]+)"[^>]*><title>([^<]+)/g)].map(
    ([, look, words]) => `${look}: ${words}`,
  );

  it("says what is given, closing, excluded and free, in its order", () => {
    expect(svg).toContain("14 blocks: 2 given, 1 closing, 11 free; 43 addresses excluded");
    expect(tiles.filter((words) => !words.includes(": free: "))).toEqual([
      "s1: n1 192.168.0.1-192.168.0.16: 1 of 13 addresses used (8 %)",
      "s1 closing: n2 192.168.0.17-192.168.0.32 (closing): 1 of 15 addresses used (7 %)",
      "s0: n2 192.168.0.33-192.168.0.48: 0 of 15 addresses used (0 %)",
      "excluded: excluded: 192.168.0.100 – 192.168.0.127",
      "excluded: excluded: 192.168.0.128 – 192.168.0.140",
    ]);
    expect(svg).toContain(">n2 (closing)</text>");
  });

  it("tells what these looks mean, and only where they are", () => {
    const legend = (drawn: string) =>
      [...drawn.matchAll(/<text class="quiet"[^>]*>([a-z ]+)</g)].map(([, words]) => words);
    expect(legend(svg)).toEqual(expect.arrayContaining(["excluded", "closing"]));
    expect(legend(drawSvg(plain, "key"))).not.toEqual(expect.arrayContaining(["excluded"]));
    expect(legend(drawSvg(plain, "key"))).not.toEqual(expect.arrayContaining(["closing"]));
  });
});

describe("the page of a pool", () => {
  it("is given all of it", () => {
    const { summary: _, ...territory } = pooled;
    expect(sent(pooled)).toEqual(territory);
  });

  it("has a tile for what is excluded and marks what closes", () => {
    const look = { width: 800, canOpen: false, contested: new Set<never>() };
    const items = sent(pooled)
      .sections.flatMap((section) => spaceRows(section, look))
      .flatMap((row) => row.items);
    expect(items.filter((item) => item.look === "excluded").map(({ words }) => words)).toEqual([
      "excluded: 192.168.0.100 – 192.168.0.127",
      "excluded: 192.168.0.128 – 192.168.0.140",
    ]);
    expect(items.filter((item) => item.look.includes("closing")).map(({ words }) => words)).toEqual([
      expect.stringContaining("n2 192.168.0.17-192.168.0.32 (closing)"),
    ]);
    const legend = renderPage(pooled, { title: "ippool/a", subtitle: "" });
    expect(legend).toContain('<li class="excluded">');
    expect(legend).toContain('<li class="s0 closing">');
    const without = renderPage(plain, { title: "key", subtitle: "" });
    expect(without).not.toMatch(/<li class="(excluded|s0 closing)">/);
  });

  it("says of each address why no pod gets it, and has no gateway where the pool has none", () => {
    expect(said(sent(pooled))).toEqual([
      "192.168.0.2: default/one",
      "192.168.0.5: excluded",
      "192.168.0.6: excluded",
      "192.168.0.16: kept back",
    ]);
  });

  it("has the pool's gateway where there is one, and each network's own in a CIDRPool", () => {
    const flat = { subnet: "192.168.0.0/24", perNodeBlockSize: 16, gateway: "192.168.0.3" };
    const blocks = [{ node: "n1", index: 0n }];
    expect(said(sent(poolTerritory({ spec: flat, blocks })))).toEqual(["192.168.0.3: gateway"]);
    const cut = {
      cidr: "10.0.0.0/16",
      perNodeNetworkPrefix: 28,
      gatewayIndex: 14,
      perNodeReserved: { first: 1 },
    };
    expect(said(sent(poolTerritory({ kind: "CIDRPool", spec: cut, blocks })))).toEqual([
      "10.0.0.0: network",
      "10.0.0.1: kept back",
      "10.0.0.14: gateway",
      "10.0.0.15: broadcast",
    ]);
    const small = { cidr: "10.0.0.0/24", perNodeNetworkPrefix: 31 };
    expect(said(sent(poolTerritory({ kind: "CIDRPool", spec: small, blocks })))).toEqual([]);
  });

  it("finds what is closing and excluded, and says so", () => {
    const find = createFinder(sent(pooled));
    const found = (query: string) => find(query, 10).finds.map(({ name, note }) => `${name}: ${note}`);
    expect(found("n2")).toEqual(["n2: 192.168.0.17-192.168.0.32 (closing)", "n2: 192.168.0.33-192.168.0.48"]);
    expect(found("192.168.0.5")).toEqual(["192.168.0.5: excluded · n1"]);
    expect(found("192.168.0.1")).toEqual(["192.168.0.1: free · n1"]);
    expect(found("192.168.0.16")).toEqual(["192.168.0.16: kept back · n1"]);
    expect(found("192.168.0.120")).toEqual(["192.168.0.120: excluded · in no node's block"]);
    expect(found("192.168.0.200")).toEqual(["192.168.0.200: free · in no node's block"]);
    expect(found("10.0.0.1")).toEqual([]);
    expect(found("192.168.0.18")).toEqual(["192.168.0.18: default/two · n2 (closing)"]);
    expect(found("two")).toEqual(["default/two: 192.168.0.18 · n2 (closing)"]);
  });
});
