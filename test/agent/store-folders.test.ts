// The plugin's DEL frees where records say, by the host's paths: the agent must have the very same folders there.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { misplacedFolders } from "../../src/agent/store-folders.ts";

/** Host folders as they would be mounted below /host, and a folder that is named as the host names it. */
function makeHost() {
  const root = mkdtempSync(join(tmpdir(), "stores-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const hostRoot = join(root, "host");
  const dataDir = join(root, "networks");
  return { hostRoot, dataDir, onHost: join(hostRoot, dataDir) };
}

it("is well where the folder here is the host's", () => {
  const { hostRoot, dataDir, onHost } = makeHost();
  mkdirSync(onHost, { recursive: true });
  symlinkSync(onHost, dataDir);
  expect(misplacedFolders({ hostRoot }, [dataDir])).toEqual([]);
  expect(misplacedFolders({ hostRoot: "" }, [dataDir, "/tmp"])).toEqual([]);
});

it.each<[string, (dataDir: string) => void]>([
  ["another folder", (dataDir) => mkdirSync(dataDir)],
  ["no folder", () => {}],
])("says what to mount where there is %s here, once for each folder", (_, prepare) => {
  const { hostRoot, dataDir, onHost } = makeHost();
  mkdirSync(onHost, { recursive: true });
  prepare(dataDir);
  expect(misplacedFolders({ hostRoot }, [dataDir, dataDir])).toEqual([
    `frees nothing: mount the host's ${dataDir} at ${dataDir}, where its leases name it`,
  ]);
});

it("says nothing where the host has no such folder: there is nothing to free", () => {
  const { hostRoot, dataDir } = makeHost();
  mkdirSync(dataDir);
  expect(misplacedFolders({ hostRoot }, [dataDir])).toEqual([]);
});
