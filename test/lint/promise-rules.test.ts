import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { checkout } from "../parts/tools.ts";

// Type-aware rules end with status 0 where their type checker sees nothing, so here each has something to see.
const breaches: Record<string, string> = {
  "typescript(no-floating-promises)": "export function a(work: () => Promise<void>): void {\n  work();\n}\n",
  "typescript(no-misused-promises)": "export const a = [1].forEach(async () => {});\n",
  "typescript(switch-exhaustiveness-check)":
    'export function a(b: "x" | "y"): void {\n  switch (b) {\n    case "x":\n      return;\n  }\n}\n',
};

describe("oxlint with types", () => {
  const folder = mkdtempSync(join(tmpdir(), "promise-rules-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "tsconfig.json"), readFileSync(join(checkout, "tsconfig.json")));
  symlinkSync(join(checkout, "node_modules"), join(folder, "node_modules"));

  function lint(text: string): { exitCode: number | undefined; codes: string[] } {
    writeFileSync(join(folder, "probe.ts"), text);
    const options = [
      "--type-aware",
      "--deny-warnings",
      "--format=json",
      "-c",
      join(checkout, ".oxlintrc.json"),
      "probe.ts",
    ];
    const answer = execaSync(join(checkout, "node_modules/.bin/oxlint"), options, {
      cwd: folder,
      reject: false,
    });
    const { diagnostics } = JSON.parse(answer.stdout) as { diagnostics: { code: string }[] };
    return { exitCode: answer.exitCode, codes: diagnostics.map(({ code }) => code) };
  }

  it.each(Object.entries(breaches))("catches a breach of %s", (code, text) => {
    expect(lint(text)).toEqual({ exitCode: 1, codes: [code] });
  });

  it("passes what is awaited and exhaustive", () => {
    expect(
      lint("export async function a(work: () => Promise<void>): Promise<void> {\n  await work();\n}\n"),
    ).toEqual({
      exitCode: 0,
      codes: [],
    });
  });
});
