import { readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { executables } from "../parts/plugin.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { checkout, kubectl, whatLacks } from "../parts/tools.ts";
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
    const programs = dirname(executables()[0]?.command("kubectl-kube_node")[0] ?? "");
    const PATH = [programs, "/usr/bin", "/bin"].join(delimiter);
    const parts = readFileSync(page, "utf8").split(/^(```console\n[\s\S]*?^```\n)/m);
    const commands = parts.flatMap((part, index) =>
      part.startsWith("```console\n") ? [{ index, all: [...part.matchAll(/^\$ kubectl (.*)$/gm)] }] : [],
    );
    expect(commands.length).toBeGreaterThan(2);
    for (const { index, all } of commands) {
      const shown: string[] = [];
      for (const [, command = ""] of all) {
        const { stdout, stderr } = await site.run(command, { program: [tool.path ?? ""], env: { PATH } });
        shown.push(`$ kubectl ${command}`, ...[stderr, stdout].filter((text) => text !== "").map(settle));
        // A node that came since.
        if (command.endsWith("--per-node=/24")) await site.api.createNode({ name: "worker-5" });
      }
      parts[index] = `\`\`\`console\n${shown.join("\n").trimEnd()}\n\`\`\`\n`;
    }
    await expect(parts.join("")).toMatchFileSnapshot(page);
  });
});
