import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Packed, pack, unpack } from "../../src/map/pack.ts";
import { renderPage } from "../../src/map/page.ts";
import { checkout } from "../parts/tools.ts";
import { rowOfNodes, territoryOf, troubled } from "./world.ts";

describe("the page's script and style", () => {
  it("are what src/page makes: else run node scripts/make-page.ts", () => {
    const folder = mkdtempSync(join(tmpdir(), "page-parts-"));
    const fresh = join(folder, "page-parts.ts");
    execaSync(process.execPath, [join(checkout, "scripts/make-page.ts"), fresh]);
    const same =
      readFileSync(fresh, "utf8") === readFileSync(join(checkout, "src/map/page-parts.ts"), "utf8");
    rmSync(folder, { recursive: true });
    expect(same).toBe(true);
  });
});

describe("the documents' pictures", () => {
  it("are what map draws: else run node scripts/draw-map.ts", () => {
    const folder = mkdtempSync(join(tmpdir(), "map-docs-"));
    mkdirSync(join(folder, "commands"));
    execaSync(process.execPath, [join(checkout, "scripts/draw-map.ts"), folder]);
    const files = ["map.svg", "commands/kubectl-kube-node-map.md"];
    const differing = files.filter(
      (file) =>
        readFileSync(join(folder, file), "utf8") !== readFileSync(join(checkout, "docs", file), "utf8"),
    );
    rmSync(folder, { recursive: true });
    expect(differing).toEqual([]);
  });
});

describe("what the page is given", () => {
  const again = (packed: Packed): Packed => JSON.parse(JSON.stringify(packed)) as Packed;

  it.each([
    ["a hundred nodes", rowOfNodes(100, ["172.20.0.0/16 /24", "fd00:10::/48 /64"], (index) => index)],
    ["troubles", troubled],
    ["pods on other nodes", { nodes: { a: "10.0.0.0/24" }, pods: { "default/x@b": ["10.0.0.5"] } }],
    ["nothing", { nodes: {} }],
  ])("is what there was: %s", (_, world) => {
    const territory = territoryOf(world);
    expect(unpack(again(pack(territory)))).toEqual(territory);
  });

  it("is small: less than 40 bytes a pod", () => {
    const world = rowOfNodes(500, ["10.0.0.0/8 /24"], () => 20);
    expect(JSON.stringify(pack(territoryOf(world))).length / 10_000).toBeLessThan(40);
  });

  it("can't end its element, whatever people call their pods", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.constantFrom("</script>", "<!--", "<script>", "]]>", "'", '"'),
        (text, bad) => {
          const world = { nodes: { [`${bad}${text}`]: "10.0.0.0/24" } };
          const html = renderPage(territoryOf(world), { title: `${text}${bad}`, subtitle: bad });
          const data = html.slice(html.indexOf('id="data">') + 10);
          const json = data.slice(0, data.indexOf("</script>"));
          expect(json).not.toContain("<");
          expect((JSON.parse(json) as Packed).nodes).toEqual([`${bad}${text}`]);
          expect(html.match(/<script/g)).toHaveLength(2);
          expect(html.match(/<\/script>/g)).toHaveLength(2);
        },
      ),
    );
  });
});
