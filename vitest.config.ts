import { defineConfig } from "vitest/config";
import { notQuick } from "./test/tiers.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: process.env["TEST_TIER"] === "quick" ? notQuick.flatMap((path) => [path, `${path}/**`]) : [],
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
