// kube-node check-config as a person and a script call it; each kind of fault has its tests in test/check.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { callPlugin, executables, type PluginAnswer } from "../parts/plugin.ts";
import { checkout } from "../parts/tools.ts";
import { transcript } from "./parts/node.ts";

const documents = join(checkout, "test/cli/documents");
const examples = join(checkout, "examples");

describe.each(executables())("kube-node check-config ($label)", ({ command }) => {
  const run = (words: string[], stdin?: string): Promise<PluginAnswer> =>
    callPlugin({ command: [...command("kube-node"), "check-config", ...words], cwd: documents, stdin });

  it("says what is wrong and where, as compilers do", async () => {
    const words = ["net1.conflist", "cluster.yaml"];
    const told = transcript(["check-config", ...words], await run(words));
    await expect(told).toMatchFileSnapshot("golden/check-config.txt");
  });

  it("says it to scripts, in a shape that stays", async () => {
    const answer = await run(
      ["-o", "json", "-"],
      '{"name": "n", "type": "b", "ipam": {"type": "kube-node", "x": 1}}',
    );
    expect(answer).toMatchObject({ exitCode: 1, stderr: "" });
    expect(answer.json).toEqual({
      findings: [
        {
          file: "<stdin>",
          line: 1,
          column: 58,
          severity: "error",
          message: "ipam.x: unknown key: neither kube-node nor host-local reads it",
        },
      ],
    });
  });

  it("takes every example of ours", async () => {
    const files = readdirSync(examples, { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(yaml|conf|conflist)$/.test(name) && !name.startsWith("helm/")) // a chart is no document yet
      .map((name) => join(examples, name));
    expect(files.length).toBeGreaterThan(4);
    expect(await run(files)).toMatchObject({ exitCode: 0, stdout: "", stderr: "0 errors, 0 warnings\n" });
  });

  it("takes a file on standard input, or an annotation's text", async () => {
    const text = readFileSync(join(documents, "net1.conflist"), "utf8");
    expect((await run(["-"], text)).stdout).toMatch(/^<stdin>:9:9: error: .*did you mean "annotation"/m);
    expect(await run(["--annotation=10.1.2.0/24,fd00:1::/64"])).toMatchObject({ exitCode: 0, stdout: "" });
    expect(await run(["--annotation=10.1.2.0/24, 10.1.3.0/24"])).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/^--annotation:1:14: error: a second IPv4 network/),
    });
    expect(await run(["--annotation-body", 'ranges: [[{subnet: "10.1.2.1/24"}]]'])).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/^--annotation-body:1:20: error: .*write 10\.1\.2\.0\/24/),
    });
  });

  it("checks annotations of other keys where they are named", async () => {
    const node = "kind: Node\napiVersion: v1\nmetadata:\n  annotations:\n    other/key: rubbish\n";
    expect(await run(["-"], node)).toMatchObject({ exitCode: 0 });
    expect(await run(["--key=some/key,other/key", "-"], node)).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/^<stdin>:5:16: error: /),
    });
  });

  it("is told what to check, or says how", async () => {
    expect(await run([])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("nothing to check: name files"),
    });
    expect(await run(["nowhere.conf"])).toMatchObject({
      exitCode: 1,
      stdout: "",
      stderr: "kube-node: there is no file nowhere.conf\n",
    });
  });
});
