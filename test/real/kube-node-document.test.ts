// docs/commands/kube-node.md: what it shows is what the commands print. UPDATE_DOCS=1 writes their output anew.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kubeNodeCommands } from "../../src/cli/kube-node-commands.ts";
import { checkout, hostLocals, mainPlugins, namespaces, whatLacks } from "../parts/tools.ts";
import { type DocumentedNode, startDocumentedNode } from "./parts/documented-node.ts";
import { privateMounts } from "./parts/private-mounts.ts";

const path = join(checkout, "docs/commands/kube-node.md");
const document = readFileSync(path, "utf8");
/** ```console blocks with one `$ line` each, and what it printed. */
const block = /(?<=```console\n)\$ (?<line>[^\n]+)\n(?<output>[\s\S]*?)(?=```)/g;
const shown = [...document.matchAll(block)].map(({ groups }) => groups as { line: string; output: string });
const lack = whatLacks(
  mainPlugins(),
  namespaces(),
  privateMounts(),
  hostLocals().length > 0 ? {} : { missing: "host-local" },
);

describe("the document of kube-node's commands", () => {
  it("shows each command once at least, and no other", () => {
    const names = shown.map(({ line }) => /kube-node ([a-z-]+)/.exec(line)?.[1]);
    expect(new Set(names)).toEqual(new Set(kubeNodeCommands.map(({ name }) => name)));
  });

  describe.skipIf(lack.some)(`on a node${lack.words}`, () => {
    let node: DocumentedNode;
    beforeAll(async () => {
      node = await startDocumentedNode();
    });
    afterAll(() => node?.close());

    it("shows what they print", async () => {
      const outputs: string[] = [];
      for (const { line } of shown) outputs.push(`${(await node.type(line)).text}\n`);
      if (process.env["UPDATE_DOCS"]) {
        let index = 0;
        writeFileSync(
          path,
          document.replace(block, () => `$ ${shown[index]?.line}\n${outputs[index++]}`),
        );
      } else {
        expect(outputs.map(lasting)).toEqual(shown.map(({ output }) => lasting(output)));
      }
    });
  });
});

/** Without what differs from machine to machine, and from minute to minute: times, processes, releases, ids, widths. */
function lasting(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    .replace(/\b[0-9a-f]{32}\b/g, "MACHINE")
    .replace(/(?<![\d./:-])\d+ ?(?:ms|s|m|h)\b/g, "DURATION")
    .replace(/kube-node-try-\d+/g, "kube-node-try-N")
    .replace(/version \S+/g, "VERSION")
    .replace(/(?:, v?\d+\.\d+\.\d+\S*)?, CNI \d\S+ to \S+/g, ", CNI VERSIONS")
    .replace(/ {2,}/g, "  ");
}
