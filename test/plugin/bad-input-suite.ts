import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { executables } from "../parts/plugin.ts";
import { type HostLocal, hostLocals, whatLacks } from "../parts/tools.ts";
import {
  type BadCall,
  call,
  copyOfData,
  expectDiscretion,
  expectError,
  expectSameTree,
  expectSuccess,
  heldRecord,
  logOf,
  makeWorld,
  treeOf,
  type World,
} from "./bad-input.ts";

/**
 * A row: what is wrong, the call, ADD's code and what its words say. `del` is what DELs do: "frees" (those of c-live are
 * freed, and one for a container without addresses succeeds), "nothing to free" (only the latter), or a code.
 * `sample` rows run on the sources under Node as well.
 */
export type Row = [
  what: string,
  bad: BadCall | ((world: World, folder: string) => BadCall | Promise<BadCall>),
  code: number,
  says: RegExp[],
  del: "frees" | "nothing to free" | number,
  sample?: "sample",
];

/**
 * Runs `test` for the compiled executable on every host-local, and for the sources on Node on the first (`isSample`). `less`
 * leaves out the other host-locals, or Node, where that takes long and none has to do with what is tested: each says why.
 */
export function describeEverywhere(
  name: string,
  test: (world: () => World, isSample: boolean) => void,
  less: { hostLocals?: "one"; runtimes?: "one" } = {},
): void {
  const [compiled, sources] = executables();
  const found = hostLocals();
  const lack = whatLacks(found.length > 0 ? {} : { missing: "host-local" });
  if (lack.some || !compiled || !sources) {
    describe.skip(`${name}${lack.words}`, () => test(unmade, false));
    return;
  }
  const runs: [typeof compiled, HostLocal, boolean][] = [
    ...found.map((hostLocal): [typeof compiled, HostLocal, boolean] => [compiled, hostLocal, false]),
    [sources, found[0] as HostLocal, true],
  ];
  const chosen = runs
    .filter(([, hostLocal]) => less.hostLocals === undefined || hostLocal === found[0])
    .filter(([, , isSample]) => less.runtimes === undefined || !isSample);
  for (const [executable, hostLocal, isSample] of chosen) {
    describe(`${name} (${executable.label}, host-local ${hostLocal.label})`, () => {
      let world: World | undefined;
      let folder: string;
      beforeAll(async () => {
        folder = mkdtempSync(join(tmpdir(), "bad-input-"));
        world = await makeWorld(executable, hostLocal, folder);
      });
      afterAll(async () => {
        await world?.server.close();
        rmSync(folder, { recursive: true, force: true });
      });
      test(() => world ?? unmade(), isSample);
    });
  }
}

function unmade(): never {
  throw new Error("the world could not be made");
}

/** The table as tests: ADD fails as it should, nothing is lost, DEL does what it can. */
export function checkRows(world: () => World, rows: Row[], isSample: boolean): void {
  const chosen = isSample ? rows.filter(([, , , , , sample]) => sample) : rows;
  it.each(chosen)("%s", async (_, given, code, says, del) => {
    const folder = mkdtempSync(join(tmpdir(), "bad-call-"));
    try {
      const bad = typeof given === "function" ? await given(world(), folder) : given;
      await checkAdd(world(), folder, bad, code, says);
      await checkDels(world(), folder, bad, del);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

async function checkAdd(
  world: World,
  folder: string,
  bad: BadCall,
  code: number,
  says: RegExp[],
): Promise<void> {
  const dataDir = copyOfData(world, folder);
  const before = treeOf(dataDir);
  const answer = await call(world, "ADD", "c-new", bad, dataDir);
  expectError(world, answer, code, says);
  expectDiscretion(world, answer, logOf(dataDir));
  expectSameTree(before, treeOf(dataDir));
}

async function checkDels(world: World, folder: string, bad: BadCall, del: Row[4]): Promise<void> {
  const dataDir = copyOfData(world, folder, "data-of-del");
  const before = treeOf(dataDir);
  const nothing = await call(world, "DEL", "c-none", bad, dataDir);
  if (typeof del === "number") expectError(world, nothing, del, []);
  else expectSuccess(world, nothing);
  expectSameTree(before, treeOf(dataDir));
  const live = await call(world, "DEL", "c-live", bad, dataDir);
  if (typeof del === "number") expectError(world, live, del, []);
  if (del !== "frees") return;
  expectSuccess(world, live);
  expect(live.stdout).toBe("");
  const gone = Object.keys(before).filter((name) => name === heldRecord || /^net1\/(?:10|fd00)/.test(name));
  expect(gone).toHaveLength(3);
  expectSameTree(before, treeOf(dataDir), { gone });
}
