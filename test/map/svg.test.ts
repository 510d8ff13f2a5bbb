import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { drawSvg } from "../../src/map/svg-map.ts";
import { chromiumProgram, launchBrowser } from "../parts/browser.ts";
import { whatLacks } from "../parts/tools.ts";
import { rowOfNodes, territoryOf, troubled, type World } from "./world.ts";

const lack = whatLacks(chromiumProgram());
const dual = ["172.20.0.0/16 /24", "fd00:10::/48 /64"];

const worlds: Record<string, World> = {
  "three nodes": rowOfNodes(3, dual, (index) => index * 40),
  "a hundred nodes": rowOfNodes(100, dual, (index) => index),
  "five thousand nodes": rowOfNodes(5000, ["10.0.0.0/8 /24"], () => 1),
  troubles: troubled,
  nothing: { nodes: {} },
  "strange names": { nodes: { "<&\"'>\u0000\ud800": "10.0.0.0/24" } },
};

describe("an SVG", () => {
  it("has every block, with its node, range and use in a tooltip", () => {
    const svg = drawSvg(territoryOf(worlds["a hundred nodes"] as World), "example.com/net1");
    const tips = [...svg.matchAll(/<title>(node-\d+ [\d.]+\/24): (\d+) of 253/g)];
    expect(tips).toHaveLength(100);
    expect(tips[41]?.slice(1)).toEqual(["node-42 172.20.41.0/24", "41"]);
  });

  it("is all in one: it names no other file", () => {
    const svg = drawSvg(territoryOf(troubled), "key");
    expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(
      /https?:|href=|@import|<script/,
    );
  });

  it("is light or dark as its reader has it", () => {
    expect(drawSvg(territoryOf(troubled), "key")).toContain("@media(prefers-color-scheme:dark)");
  });
});

describe.skipIf(lack.some)(`an SVG, parsed by a browser${lack.words}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  it.each(Object.entries(worlds))("is well-formed: %s", async (_, world) => {
    const page = await browser.newPage();
    const svg = drawSvg(territoryOf(world), "a <title> & more");
    const parsed = (await page.evaluate(
      `(() => {
        const document = new DOMParser().parseFromString(${JSON.stringify(svg)}, "image/svg+xml");
        return [document.documentElement.nodeName, document.querySelector("parsererror")?.textContent ?? ""];
      })()`,
    )) as string[];
    await page.close();
    expect(parsed).toEqual(["svg", ""]);
  });
});
