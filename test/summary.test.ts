import { describe, expect, it } from "vitest";
import { summarize } from "./summary.ts";

const test = (status: string, fullName = "does it") => ({ status, fullName });
const file = (name: string, ...assertionResults: ReturnType<typeof test>[]) => ({
  name,
  status: assertionResults.some(({ status }) => status === "failed") ? "failed" : "passed",
  assertionResults,
});

describe("the last words of ./build.sh test", () => {
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
