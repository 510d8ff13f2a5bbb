import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkout } from "../parts/tools.ts";

const read = (name: string) => readFileSync(join(checkout, name), "utf8");

describe("docs/guarantees.md", () => {
  const rows = read("docs/guarantees.md")
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^\| (?:promise|-)/.test(line));

  it("names a test for each promise", () => {
    expect(rows.length).toBeGreaterThan(20);
    expect(rows.filter((row) => !/\| test\/[^|]+\|$/.test(row))).toEqual([]);
  });

  it("names tests that are there", () => {
    const named = new Set(rows.flatMap((row) => row.match(/test\/[\w/-]+/g) ?? []));
    const absent = [...named].filter(
      (name) => globSync([`${name}*.test.ts`, `${name}/*.test.ts`], { cwd: checkout }).length === 0,
    );
    expect(absent).toEqual([]);
  });
});

describe.each(["SECURITY.md", "docs/guarantees.md"])("%s", (document) => {
  it("links to what is there", () => {
    const links = [...read(document).matchAll(/\]\(([^)]+)\)/g)].map(([, link = ""]) => link);
    const absent = links.filter(
      (link) => !/^https:/.test(link) && !existsSync(join(checkout, document, "..", link)),
    );
    expect(absent).toEqual([]);
  });
});
