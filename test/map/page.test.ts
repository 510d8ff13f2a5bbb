import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { renderPage } from "../../src/map/page.ts";
import type { Territory } from "../../src/map/territory.ts";
import { chromiumProgram, launchBrowser } from "../parts/browser.ts";
import { checkout, whatLacks } from "../parts/tools.ts";
import { pooled } from "./pool-world.ts";
import { rowOfNodes, territoryOf, troubled, type World } from "./world.ts";

const lack = whatLacks(chromiumProgram());
const screenshots = join(process.env["KUBE_NODE_OUTPUT"] ?? join(checkout, "_output"), "screenshots");

const uneven = (index: number): number => ((index * 37) % 250) >> (index % 3);
const hundred = rowOfNodes(100, ["172.20.0.0/16 /24", "fd00:10::/48 /64"], uneven);
const withTroubles: World = {
  nodes: { ...hundred.nodes, spare: "172.20.17.0/25", broken: "172.20/24" },
  pods: { ...hundred.pods, "default/lost@spare": ["172.20.120.9"] },
};
const evil = {
  node: `"'><img src=x onerror=alert(1)>`,
  pod: "default/</script><script>alert(1)</script><!--",
};

describe.skipIf(lack.some)(`the page, in a browser${lack.words}`, () => {
  let browser: Browser;
  let folder: string;
  let page: Page;
  /** What a good page has none of: messages on the console, errors, requests. */
  let noise: string[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "map-page-"));
    mkdirSync(screenshots, { recursive: true });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    await page.context().close();
    expect(noise).toEqual([]);
  });

  const open = (world: World, options: BrowserContextOptions = {}) => show(territoryOf(world), options);

  async function show(territory: Territory, options: BrowserContextOptions = {}): Promise<Page> {
    const file = join(folder, "map.html");
    const head = { title: "example.com/net1", subtitle: "a subtitle" };
    writeFileSync(file, renderPage(territory, head));
    const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
    page = await context.newPage();
    noise = [];
    page.on("console", (message) => noise.push(`console: ${message.text()}`));
    page.on("pageerror", ({ message }) => noise.push(`error: ${message}`));
    page.on("dialog", (dialog) => noise.push(`dialog: ${dialog.message()}`));
    page.on("request", (request) => {
      if (request.url() !== url && !request.url().startsWith("data:"))
        noise.push(`request: ${request.url()}`);
    });
    const url = pathToFileURL(file).href;
    await page.goto(url);
    return page;
  }

  const press = async (...keys: string[]): Promise<void> => {
    for (const key of keys) await page.keyboard.press(key);
  };
  // The page's address tells of a change a moment later: hence the polling below.
  const focused = (): Promise<string | null> =>
    page.evaluate("document.activeElement.getAttribute('aria-label')") as Promise<string | null>;
  const crumbs = (): Promise<string[]> => page.locator("#crumbs li").allTextContents();
  /** From the page's beginning by Tab alone to the picture. */
  const tabToPicture = async (): Promise<void> => {
    for (let tabs = 0; tabs < 10; tabs++) {
      await press("Tab");
      if ((await page.locator("#picture :focus").count()) > 0) return;
    }
    throw new Error("Tab never came to the picture");
  };

  it.each(["light", "dark"] as const)("shows blocks by use, in %s", async (colorScheme) => {
    await open(withTroubles, { colorScheme });
    await page.screenshot({ path: join(screenshots, `map-${colorScheme}.png`) });
    const box = await page
      .getByRole("gridcell", { name: "node-20 172.20.19.0/24", exact: false })
      .boundingBox();
    expect(box?.width).toBeGreaterThan(20);
    const [ground] = (await page.evaluate("[getComputedStyle(document.body).backgroundColor]")) as [string];
    const brightness = Number(/\d+/.exec(ground)?.[0]);
    expect(brightness > 128).toBe(colorScheme === "light");
    expect(await page.getByText("node-18 172.20.17.0/24, spare 172.20.17.0/25 overlap").count()).toBe(1);
    expect(await page.getByText("default/lost has 172.20.120.9").count()).toBe(1);
  });

  it("finds a pod, and goes to its address", async () => {
    await open(hundred);
    await press("/");
    await page.keyboard.type("web-42-7");
    const [first] = await page.getByRole("option").allTextContents();
    expect(first).toContain("default/web-42-7");
    await press("Enter");
    await expect.poll(focused).toBe("172.20.42.9: default/web-42-7");
    await expect.poll(crumbs).toEqual(["All", "172.20.0.0/17", "node-43 172.20.42.0/24"]);
    expect(await page.locator("#panel").textContent()).toContain("default/web-42-7");
    await page.screenshot({ path: join(screenshots, "map-block.png") });
  });

  it("finds a node among 5,000 and scrolls to it, without drawing all of them", async () => {
    await open(rowOfNodes(5000, ["10.0.0.0/8 /24", "fd00::/32 /64"], (index) => index % 20));
    await page.screenshot({ path: join(screenshots, "map-5000.png") });
    expect(await page.locator(".tile").count()).toBeLessThan(6000);
    await press("/");
    await page.keyboard.type("node-4711");
    await press("Enter");
    await expect.poll(focused).toContain("node-4711 10.18.102.0/24");
    const box = await page.locator(":focus").boundingBox();
    expect(box?.y).toBeGreaterThan(100);
    expect(box?.y).toBeLessThan(860);
    await press("End", "Control+End", "PageUp");
    await expect.poll(focused).not.toContain("node-4711");
  });

  it.each([
    ["172.20.3.40", "172.20.3.40: default/web-3-38"],
    ["172.20.3.255", "172.20.3.255: broadcast"],
    ["fd00:10:0:4::2", "fd00:10:0:4::2: default/web-4-0"],
    ["fd00:10:0:4::abcd", "fd00:10:0:4::abcd: free"],
  ])("finds the address %s", async (address, label) => {
    await open(hundred);
    await press("/");
    await page.keyboard.type(address);
    await press("Enter");
    await expect.poll(focused).toBe(label);
  });

  it("says when nothing was found, and clears the search by Escape", async () => {
    await open(hundred);
    await press("/");
    await page.keyboard.type("no such thing");
    expect(await page.locator("#finds").textContent()).toBe("Nothing found");
    expect(await page.locator(".dimmed").count()).toBeGreaterThan(100);
    await press("Escape");
    expect(await page.locator(".dimmed").count()).toBe(0);
    expect(await page.locator("#search").inputValue()).toBe("");
  });

  it("dims what has nothing to do with a search", async () => {
    await open(hundred);
    await press("/");
    await page.keyboard.type("web-42-7");
    const bright = page.locator('.tile:not(.dimmed)[aria-label^="node-"]');
    expect(await bright.count()).toBe(2);
  });

  it("can be used with the keyboard alone: to a block, into it, and back to where one was", async () => {
    await open(hundred);
    await tabToPicture();
    await expect.poll(focused).toContain("node-1 172.20.0.0/24");
    await press("ArrowRight", "ArrowDown");
    const block = await focused();
    expect(block).toContain("node-18 172.20.17.0/24");
    const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
    expect(outline).toBe("solid");
    await press("Enter");
    await expect.poll(crumbs).toEqual(["All", "172.20.0.0/17", "node-18 172.20.17.0/24"]);
    await expect.poll(focused).toContain("172.20.17.2: default/web-17-0");
    await press("ArrowLeft");
    await expect.poll(focused).toBe("172.20.17.1: gateway");
    await press("Escape");
    await expect.poll(crumbs).toEqual(["All", "172.20.0.0/17"]);
    await expect.poll(focused).toBe(block);
    await press("Escape");
    await expect.poll(crumbs).toEqual(["All"]);
  });

  it("keeps the focus in the picture: in a block without pods, and when the window changes", async () => {
    await open({ nodes: { a: "10.0.0.0/24", b: "10.0.1.0/24" } });
    await tabToPicture();
    await press("ArrowRight", "Enter");
    await expect.poll(focused).toBe("10.0.1.0: network");
    await press("ArrowDown");
    await page.setViewportSize({ width: 640, height: 700 });
    await expect.poll(() => page.locator(".tile").first().getAttribute("style")).toContain("25%");
    await expect.poll(focused).toBe("10.0.1.8: free");
  });

  it("goes back as browsers do, and opens where its address says", async () => {
    await open(hundred);
    await page.locator("#crumbs a").first().click();
    await page.getByRole("gridcell", { name: "node-3 172.20.2.0/24", exact: false }).dblclick();
    expect(page.url()).toContain("#172.20.2.0/24@node-3");
    await page.reload();
    await expect.poll(crumbs).toEqual(["All", "172.20.0.0/17", "node-3 172.20.2.0/24"]);
    await page.goBack();
    await expect.poll(crumbs).toEqual(["All"]);
  });

  it("changes between light and dark by a switch, and keeps it", async () => {
    await open(hundred, { colorScheme: "light" });
    const theme = page.getByRole("button", { name: "Dark colours" });
    expect(await theme.getAttribute("aria-pressed")).toBe("false");
    await theme.click();
    expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(14, 20, 27)");
    await page.reload();
    expect(await theme.getAttribute("aria-pressed")).toBe("true");
  });

  it("takes names for names, whatever is in them", async () => {
    await open({
      nodes: { [evil.node]: "10.0.0.0/24" },
      pods: { [`${evil.pod}@${evil.node}`]: ["10.0.0.2"] },
    });
    await press("/");
    await page.keyboard.type("</script>");
    expect(await page.getByRole("option").first().textContent()).toContain(evil.pod);
    await press("Enter");
    await expect.poll(focused).toBe(`10.0.0.2: ${evil.pod}`);
    expect(await page.locator("#panel").textContent()).toContain(evil.node);
    expect(await page.locator("img, #panel script").count()).toBe(0);
  });

  it("runs no other script than its own", async () => {
    await open(hundred);
    const inject = `(() => {
      const script = document.createElement("script");
      script.textContent = "window.wasRun = true";
      document.body.append(script);
      return window.wasRun === true;
    })()`;
    expect(await page.evaluate(inject)).toBe(false);
    expect(noise.splice(0).join()).toContain("Content Security Policy");
  });

  it("has roles and labels for those who don't see it", async () => {
    await open(withTroubles);
    const grid = page.getByRole("grid", { name: "Address space" });
    expect(Number(await grid.getAttribute("aria-rowcount"))).toBeGreaterThan(10);
    expect(await grid.getByRole("row").count()).toBeGreaterThan(10);
    expect(await page.locator('.tile:not([aria-label]), .tile:not([role="gridcell"])').count()).toBe(0);
    expect(await page.locator('#picture [tabindex="0"]').count()).toBe(1);
    for (const role of ["combobox", "navigation", "complementary", "search"] as const)
      expect(await page.getByRole(role).count()).toBe(1);
  });

  it("marks ranges that overlap, and addresses that two pods have", async () => {
    const pods = { "default/a@beta": ["10.8.1.3"], "default/b@beta": ["10.8.1.3"] };
    await open({ nodes: troubled.nodes, pods });
    expect(await page.locator(".tile.contested").count()).toBe(2);
    await press("/");
    await page.keyboard.type("10.8.1.3");
    await press("Enter");
    await expect.poll(focused).toBe("10.8.1.3: default/a and default/b");
  });

  it.each(["light", "dark"] as const)(
    "shows a pool: excluded, closing, and why no pod gets an address, in %s",
    async (colorScheme) => {
      await show(pooled, { colorScheme });
      await page.screenshot({ path: join(screenshots, `map-pool-${colorScheme}.png`) });
      const legend = await page.locator("#legend-space li").allTextContents();
      expect(legend).toEqual(expect.arrayContaining(["excluded", "closing"]));
      await page.getByRole("gridcell", { name: "excluded: 192.168.0.100", exact: false }).click();
      expect(await page.locator("#panel h2").first().textContent()).toBe("Excluded");
      const closing = page.getByRole("gridcell", {
        name: "n2 192.168.0.17-192.168.0.32 (closing)",
        exact: false,
      });
      await closing.click();
      expect(await page.locator("#panel").textContent()).toContain(
        "Closing: no pod gets an address of it any more",
      );
      await press("/");
      await page.keyboard.type("192.168.0.5");
      expect(await page.getByRole("option").allTextContents()).toEqual([
        expect.stringContaining("excluded · n1"),
      ]);
      await press("Enter");
      await expect.poll(focused).toBe("192.168.0.5: excluded");
      expect(await page.locator("#panel").textContent()).toContain("excluded");
      await page.screenshot({ path: join(screenshots, `map-pool-block-${colorScheme}.png`) });
      await press("/");
      await page.keyboard.type("192.168.0.120");
      expect(await page.getByRole("option").allTextContents()).toEqual([
        expect.stringContaining("excluded · in no node's block"),
      ]);
      await press("Enter");
      await expect.poll(focused).toBe("excluded: 192.168.0.100 – 192.168.0.127");
      await expect.poll(crumbs).toEqual(["All"]);
    },
  );

  it("fits a narrow window", async () => {
    await open(withTroubles, { viewport: { width: 400, height: 800 } });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(400);
  });

  it("has a map without anything in it", async () => {
    await open({ nodes: {} });
    await expect.poll(crumbs).toEqual(["All"]);
  });
});
