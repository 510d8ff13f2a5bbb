import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it, onTestFinished } from "vitest";
import { checkout } from "./parts/tools.ts";
import { summarize } from "./summary.ts";

const test = (status: string, fullName = "does it") => ({ status, fullName });
const file = (name: string, ...assertionResults: ReturnType<typeof test>[]) => ({
  name,
  status: assertionResults.some(({ status }) => status === "failed") ? "failed" : "passed",
  assertionResults,
});

describe("the last words of ./build.sh test", () => {
  it("name a test that only passed when it was tried again, as vitest reports one", async () => {
    const folder = mkdtempSync(join(tmpdir(), "retried-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const text = `let tries = 0;
      it("passes at its second try", () => expect(++tries).toBe(2));
      it("passes at once", () => {});`;
    writeFileSync(join(folder, "flaky.test.js"), text);
    const report = join(folder, "report.json");
    const flags = [
      "run",
      "--root",
      folder,
      "--globals",
      "--retry=1",
      "--reporter=json",
      "--outputFile",
      report,
    ];
    await execa("vitest", flags, { preferLocal: true, localDir: checkout, env: { VITEST: undefined } });
    const { lines, failed } = summarize(JSON.parse(readFileSync(report, "utf8")), 0);
    expect(lines).toEqual([
      expect.stringMatching(/^retried: \S*flaky\.test\.js: passes at its second try$/),
      "2 passed, 0 failed, 0 skipped",
    ]);
    expect(failed).toBe(0);
  });

  it("count tests, and give each skipped one with its reason", () => {
    const results = {
      testResults: [
        file(
          "test/a.test.ts",
          test("passed"),
          test("failed"),
          test("skipped", "traces (skipped without strace)"),
        ),
        file("test/b.test.ts", test("passed"), test("todo", "more")),
      ],
    };
    expect(summarize(results, 1)).toEqual({
      lines: [
        "skipped: test/a.test.ts: traces (skipped without strace)",
        "skipped: test/b.test.ts: more",
        "2 passed, 1 failed, 2 skipped",
      ],
      failed: 1,
    });
  });

  it("count a file that can't be loaded as failed", () => {
    const broken = { ...file("test/broken.test.ts"), status: "failed" };
    expect(summarize({ testResults: [broken, file("test/a.test.ts", test("passed"))] }, 1)).toEqual({
      lines: ["failed as a whole: test/broken.test.ts", "1 passed, 1 failed, 0 skipped"],
      failed: 1,
    });
  });

  it("count a failure of vitest itself, with and without a report", () => {
    expect(summarize({ testResults: [file("test/a.test.ts", test("passed"))] }, 1).lines.at(-1)).toBe(
      "1 passed, 1 failed, 0 skipped",
    );
    expect(summarize({ testResults: [] }, 1).lines.at(-1)).toBe("0 passed, 1 failed, 0 skipped");
  });

  it("find no failure where there is none", () => {
    expect(summarize({ testResults: [file("test/a.test.ts", test("passed"))] }, 0)).toEqual({
      lines: ["1 passed, 0 failed, 0 skipped"],
      failed: 0,
    });
  });
});
