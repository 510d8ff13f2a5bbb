// docs/controller.md tells of every flag, every reason of a condition, and nothing else.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { options, runCommandLine } from "../../src/controller/command-line.ts";
import type { ControllerConfig } from "../../src/controller/config.ts";
import { UsageError } from "../../src/daemon/usage-error.ts";
import { checkout } from "../parts/tools.ts";

const page = readFileSync(join(checkout, "docs/controller.md"), "utf8");

describe("the controller's page", () => {
  it("has every flag and no other", () => {
    const told = page.split("\n").filter((line) => line.startsWith("| `--"));
    const flags = told.flatMap((line) => line.split("|")[1]?.match(/--[a-z-]+/g) ?? []);
    expect(flags.sort()).toEqual(
      options()
        .map(({ long }) => long)
        .sort(),
    );
  });

  it("has every reason that the sources give", () => {
    const source = readFileSync(join(checkout, "src/controller/pool-condition.ts"), "utf8");
    const reasons = new Set(
      source.match(/"(Valid|Deleting|NotRebuilt|Overlap|NoFree\w+)"/g)?.map((text) => text.slice(1, -1)),
    );
    for (const reason of [...reasons, "InvalidSpec", "GridMoved"]) expect(page).toContain(`\`${reason}\``);
  });
});

describe("flags", () => {
  const read = async (...words: string[]) => {
    let found: ControllerConfig | undefined;
    await runCommandLine(
      words,
      async (config) => {
        found = config;
        return 0;
      },
      () => {},
    );
    return found;
  };

  it("are read", async () => {
    expect(await read("--leader-elect=false", "--metrics-address=:9000", "--workers=3")).toMatchObject({
      leaderElect: false,
      metricsAddress: { host: "::", port: 9000 },
      workers: 3,
      webhook: false,
    });
    expect(await read("--leader-elect")).toMatchObject({ leaderElect: true });
  });

  it.each([
    ["--workers=0", "--workers 0: expected a whole number from 1 to 200"],
    ["--leader-elect=maybe", "--leader-elect=maybe: expected true or false"],
    ["--debug-address=:6060", "--debug-address :6060: expected 127.0.0.1 or [::1]"],
    ["--metrics-address=x", "--metrics-address x: expected HOST:PORT"],
    ["--webhook-key=/a", "--webhook-certificate and --webhook-key"],
    ["--nonsense", "unknown option '--nonsense'"],
  ])("%s is refused", async (word, words) => {
    const failure = await read(word).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UsageError);
    expect((failure as Error).message).toContain(words);
  });
});
