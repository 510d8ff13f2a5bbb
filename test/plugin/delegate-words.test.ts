import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { testFolder } from "../host/folder.ts";
import {
  type BadCall,
  call,
  copyOfData,
  expectDiscretion,
  expectError,
  expectSameTree,
  expectSuccess,
  treeOf,
} from "./bad-input.ts";
import { describeEverywhere } from "./bad-input-suite.ts";
import { makeDelegate } from "./request-parts.ts";

const own = '{"code": 999, "msg": "no addresses left", "details": "in range 10.1.2.0/24", "extra": 1}';
const script = (text: string) => makeDelegate(text).folder;

describeEverywhere("a delegate's own words", (world) => {
  it("pass through as they are: code, msg and details, and its stderr", async () => {
    const dataDir = copyOfData(world(), testFolder());
    const text = `echo "some words" >&2; echo '${own}'; exit 1`;
    const answer = await call(world(), "ADD", "c-new", { path: script(text) }, dataDir);
    expect(answer.json).toEqual({
      cniVersion: "1.0.0",
      code: 999,
      msg: "no addresses left",
      details: "in range 10.1.2.0/24",
    });
    expect(answer.stderr).toBe("some words\n");
  });

  it("of the real one as well: a range that is used up", async () => {
    const { server } = world();
    await server.createNode({ name: "small", podCIDRs: ["10.8.0.0/30"] });
    const dataDir = copyOfData(world(), testFolder());
    const bad: BadCall = { ipam: { nodeName: "small" }, network: { name: "small" } };
    expectSuccess(world(), await call(world(), "ADD", "c0", bad, dataDir));
    const before = treeOf(dataDir);
    const answer = await call(world(), "ADD", "c1", bad, dataDir);
    expectError(world(), answer, 999, [/no IP addresses available in range set: 10\.8\.0\.1-10\.8\.0\.2/]);
    expectSameTree(before, treeOf(dataDir));
    await server.deleteNode("small");
  });

  it("that are no error don't reach standard output where none belongs", async () => {
    const dataDir = copyOfData(world(), testFolder());
    const chatty = { path: script("cat >/dev/null; echo chatter") };
    for (const verb of ["DEL", "CHECK"]) {
      const answer = await call(world(), verb, "c-live", chatty, dataDir);
      expect(answer.stdout).toBe("");
    }
  });

  it("are asked for with a configuration that holds no secret", async () => {
    const seen = join(testFolder(), "seen");
    const dataDir = copyOfData(world(), testFolder());
    const noting = { path: script(`{ cat; env; } >>${seen}; echo '${own}'; exit 1`) };
    await call(world(), "ADD", "c-new", noting, dataDir);
    expectDiscretion(world(), { stdout: readFileSync(seen, "utf8"), stderr: "" } as never);
  });
});
