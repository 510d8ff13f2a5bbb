import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { checkout, kubectl, whatLacks } from "../parts/tools.ts";
import { fillPage, typeAt } from "./fill-page.ts";
import { openSite, type Site } from "./kubectl.ts";

const missing = reasonForNoRealApiServer();
const tool = kubectl();
const lack = whatLacks(missing === undefined ? {} : { missing }, tool);
const page = join(checkout, "docs/commands/kubectl-kube-node-split.md");

describe.skipIf(lack.some)(`docs/commands/kubectl-kube-node-split.md${lack.words}`, () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite();
    const key = "example.com/net1";
    for (const [index, value] of [undefined, "172.20.0.0/24", undefined, "172.20.9.0/33"].entries())
      await site.api.createNode({
        name: `worker-${index + 1}`,
        podCIDRs: [`10.244.${index}.0/24`],
        ...(value !== undefined && { annotations: { [key]: value } }),
      });
  }, 90_000);
  afterAll(() => site?.close());

  /** What differs from run to run. */
  function settle(text: string): string {
    return text
      .replace(/\d+\.\d s, \d+\/s/g, "0.1 s, 41/s")
      .replace(/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g, "5ec34e0c-9f5c-4f0e-8c0a-2d1b5b0f9a11");
  }

  it("shows what its commands print; `vitest -u` writes it", async () => {
    const type = typeAt(site, tool.path);
    const show = async (words: string) => {
      const { stdout, stderr } = await type(words);
      // A node that came since.
      if (words.endsWith("--per-node=/24")) await site.api.createNode({ name: "worker-5" });
      return [stderr, stdout].map(settle);
    };
    const { parts, blocks } = await fillPage(page, show, (text) => text.trimEnd());
    expect(blocks).toBeGreaterThan(2);
    await expect(parts.join("")).toMatchFileSnapshot(page);
  });
});
