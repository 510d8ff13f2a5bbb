// What comes from outside, read or refused in words: 100,000 texts under Bun, which is what the executable has, some under Node
// (SOAK=1: millions). SEED=N repeats a run.
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { checkout } from "../parts/tools.ts";
import { makeParsers } from "./parsers.ts";
import type { Report } from "./try-parsers.ts";

const soak = process.env["SOAK"] === "1";
const seed = process.env["SEED"] ?? String(Math.floor(Math.random() * 2 ** 31));
/** Texts for each parser. */
const counts = soak ? { bun: 150_000, node: 20_000 } : { bun: 8000, node: 500 };
const program = join(import.meta.dirname, "try-parsers.ts");

const names = Object.keys(withoutFolder());

describe.each(["bun", "node"] as const)("rubbish for every parser, under %s", (runtime) => {
  const count = counts[runtime];
  it(
    `${count} texts each and some of 10 MB: read, or refused in words`,
    async () => {
      console.log(`rubbish: SEED=${seed}`);
      const binary = join(checkout, "node_modules/.bin", runtime);
      const { stdout, exitCode, stderr } = await execa(binary, [program, seed, String(count)], {
        reject: false,
      });
      expect(exitCode, stderr).toBe(0);
      const reports = stdout.split("\n").map((line) => JSON.parse(line) as Report);
      expect(reports.map(({ parser }) => parser)).toEqual(names);
      expect(
        reports.flatMap(({ parser, failure }) => (failure === undefined ? [] : [`${parser}: ${failure}`])),
      ).toEqual([]);
      expect(reports.reduce((sum, { tried }) => sum + tried, 0)).toBeGreaterThan(
        runtime === "bun" ? 100_000 : 12 * count,
      );
    },
    soak ? 1_800_000 : 240_000,
  );
});

function withoutFolder() {
  const { parsers, close } = makeParsers();
  close();
  return parsers;
}
