import { readFileSync } from "node:fs";
import { relative } from "node:path";

// node test/summary.ts RESULTS STATUS: the last words of `./build.sh test`, from vitest's JSON report and its exit status.

type Result = { status: string; fullName: string; failureMessages?: string[] | null };
type Results = { testResults: { name: string; status: string; assertionResults: Result[] }[] };

/** Tests that passed only when they were tried again, skipped ones with their reasons, then the line `N passed, N failed, N skipped`. A file that can't be loaded has failed. */
export function summarize({ testResults }: Results, status: number): { lines: string[]; failed: number } {
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const count = (wanted: string) => tests.filter((test) => test.status === wanted).length;
  const passed = count("passed");
  const broken = testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some(isFailure),
  );
  const failed = count("failed") + broken.length;
  const skipped = tests.length - passed - count("failed");
  const other = status !== 0 && failed === 0;
  return {
    lines: [
      ...testResults.flatMap(describeRetried),
      ...testResults.flatMap(describeSkipped),
      ...broken.map(({ name }) => `failed as a whole: ${relative(process.cwd(), name)}`),
      ...(other
        ? [`failed: vitest ended with status ${status}, though no test did (an error outside of tests?)`]
        : []),
      `${passed} passed, ${failed + (other ? 1 : 0)} failed, ${skipped} skipped`,
    ],
    failed: failed + (other ? 1 : 0),
  };
}

function isFailure({ status }: Result): boolean {
  return status === "failed";
}

/** A test that passed keeps the failures of its earlier tries. */
function describeRetried({ name, assertionResults }: Results["testResults"][number]): string[] {
  const retried = assertionResults.filter(
    ({ status, failureMessages }) => status === "passed" && (failureMessages?.length ?? 0) > 0,
  );
  return retried.map(({ fullName }) => `retried: ${relative(process.cwd(), name)}: ${fullName.trim()}`);
}

function describeSkipped({ name, assertionResults }: Results["testResults"][number]): string[] {
  const skipped = assertionResults.filter(({ status }) => status !== "passed" && status !== "failed");
  return skipped.map(({ fullName }) => `skipped: ${relative(process.cwd(), name)}: ${fullName.trim()}`);
}

/** An empty report is that of a vitest that fell over. */
function readResults(file: string): Results {
  const text = readFileSync(file, "utf8");
  return text === "" ? { testResults: [] } : (JSON.parse(text) as Results);
}

if (import.meta.main) {
  const [file = "", status = "1"] = process.argv.slice(2);
  const { lines, failed } = summarize(readResults(file), Number(status));
  console.log(lines.join("\n"));
  process.exitCode = failed > 0 ? 1 : 0;
}
