import { defineConfig } from "vitest/config";

// The quick tier leaves out what needs minutes: real clusters, and the archives of a release.
const slow = ["test/real/**", "test/build/**", "test/cluster/**", "test/**/many-*.test.ts"];

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: process.env["TEST_TIER"] === "quick" ? slow : [],
    pool: "forks",
    maxWorkers: 2,
    // A machine that CI shares with others may stand still for seconds; what fails twice is broken.
    retry: process.env["CI"] ? 1 : 0,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    globalSetup: ["test/parts/test-run.ts"],
  },
});
