import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
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
  heldRecord,
  logOf,
  treeOf,
  type World,
} from "./bad-input.ts";
import { describeEverywhere } from "./bad-input-suite.ts";

/** A CNI_PATH whose host-local is a shell script. */
function script(text: string): () => string {
  return () => {
    const folder = testFolder();
    writeFileSync(join(folder, "host-local"), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return folder;
  };
}

const file = /delegate plugin \S+\/host-local/;
const noError = (how: RegExp) => [file, /failed without a CNI error/, how];
const own = '{"code": 999, "msg": "no addresses left", "details": "in range 10.1.2.0/24", "extra": 1}';

/** `settled`: it is certain that the delegate holds nothing, so no record stays. `sample` rows run under Node as well. */
type Row = [
  what: string,
  path: (world: World) => string,
  code: number,
  says: RegExp[],
  state: "settled" | "unsettled",
  sample?: "sample",
];

const rows: Row[] = [
  [
    "missing",
    () => testFolder(),
    5,
    [/host-local not found/, /looked in \S+/, /containernetworking-plugins/],
    "settled",
    "sample",
  ],
  [
    "a folder",
    () => {
      const folder = testFolder();
      mkdirSync(join(folder, "host-local"));
      return folder;
    },
    5,
    [/host-local not found/],
    "settled",
  ],
  [
    "a link to nowhere",
    () => {
      const folder = testFolder();
      symlinkSync("nowhere", join(folder, "host-local"));
      return folder;
    },
    5,
    [/host-local not found/],
    "settled",
  ],
  [
    "in a CNI_PATH that is not there",
    () => "/absent/a:/absent/b",
    5,
    [/looked in \/absent\/a, \/absent\/b/],
    "settled",
  ],
  [
    "not executable",
    () => {
      const folder = testFolder();
      writeFileSync(join(folder, "host-local"), "#!/bin/sh\n", { mode: 0o644 });
      return folder;
    },
    5,
    [file, /is not executable/, /chmod \+x \S+\/host-local/],
    "settled",
  ],
  [
    "built for another machine",
    () => {
      const folder = testFolder();
      const program = Buffer.concat([Buffer.from("\x7fELF\x02\x01\x01"), Buffer.alloc(200, 0xee)]);
      writeFileSync(join(folder, "host-local"), program, { mode: 0o755 });
      return folder;
    },
    5,
    [file, /can't be started/, /built for this machine/],
    "settled",
  ],
  [
    "a script without its interpreter",
    () => broken("#!/absent/sh\n"),
    5,
    [file, /can't be started/],
    "settled",
  ],
  [
    "printing rubbish",
    script("echo rubbish"),
    100,
    [/gave no address/, /stdout: "rubbish/],
    "unsettled",
    "sample",
  ],
  [
    "printing rubbish, and failing",
    script("echo rubbish; exit 3"),
    100,
    noError(/exit code 3.*rubbish/),
    "unsettled",
  ],
  ["printing half a result", script(`printf '{"ips": [{"addr'`), 100, [/gave no address/], "unsettled"],
  [
    "printing a result without addresses",
    script(`echo '{"cniVersion": "1.0.0", "ips": []}'`),
    100,
    [/gave no address/],
    "unsettled",
  ],
  ["printing an error, but ending well", script(`echo '${own}'`), 100, [/gave no address/], "unsettled"],
  [
    "printing an error without a code",
    script(`echo '{"msg": "no"}'; exit 1`),
    100,
    noError(/exit code 1/),
    "unsettled",
  ],
  [
    "printing a megabyte and more",
    script("head -c 3000000 /dev/zero | tr '\\0' x; exit 1"),
    100,
    [/host-local/],
    "unsettled",
  ],
  [
    "printing bytes that are no text",
    script("head -c 300 /dev/urandom; exit 1"),
    100,
    noError(/exit code 1/),
    "unsettled",
  ],
  ["silent", script("exit 0"), 100, [/gave no address/, /stdout: empty/], "unsettled"],
  ["silent, and failing", script("exit 1"), 100, noError(/exit code 1.*stdout: empty/), "unsettled"],
  ["ending by a signal", script("kill -KILL $$"), 100, noError(/ended by SIGKILL/), "unsettled", "sample"],
  [
    "crashing in the middle of its answer",
    script("echo '{\"ips\":'; kill -SEGV $$"),
    100,
    noError(/ended by SIGSEGV/),
    "unsettled",
  ],
  [
    "failing with its own error",
    script(`echo '${own}'; exit 1`),
    999,
    [/^no addresses left: in range 10\.1\.2\.0\/24$/],
    "settled",
    "sample",
  ],
  [
    "reading nothing, and failing with its own error",
    script(`exec <&-; echo '${own}'; exit 1`),
    999,
    [/no addresses left/],
    "settled",
  ],
  [
    "hanging",
    script("exec sleep 60"),
    100,
    [file, /was ended, the call's 2 s being nearly over/, /lock.*ipam\.timeout/],
    "unsettled",
    "sample",
  ],
];

function broken(text: string): string {
  const folder = testFolder();
  writeFileSync(join(folder, "host-local"), text, { mode: 0o755 });
  return folder;
}

describeEverywhere("a host-local that is", (world, isSample) => {
  const chosen = isSample ? rows.filter(([, , , , , sample]) => sample) : rows;

  it.each(chosen)("%s", async (_, makePath, code, says, state) => {
    const dataDir = copyOfData(world(), testFolder());
    const before = treeOf(dataDir);
    const bad: BadCall = { path: makePath(world()), ipam: { timeout: 2 } };
    const added = await call(world(), "ADD", "c-new", bad, dataDir);
    expectError(world(), added, code, says);
    expectDiscretion(world(), added, logOf(dataDir));
    const record = ".kube-node/net1/attachments/c-new:eth0";
    expectSameTree(before, treeOf(dataDir), { made: state === "unsettled" ? [record] : [] });
    expect(Object.hasOwn(treeOf(dataDir), record)).toBe(state === "unsettled");
    // With a host-local that works, a DEL lets go of all that may be left; another ADD is then as good as the first.
    expectSuccess(world(), await call(world(), "DEL", "c-new", {}, dataDir));
    expectSameTree(before, treeOf(dataDir));
    expectSuccess(world(), await call(world(), "ADD", "c-new", {}, dataDir));
  });

  it.each(
    chosen.filter(
      ([what]) =>
        !/^(silent|printing (rubbish|half|a result|an error, but))/.test(what) || /failing$/.test(what),
    ),
  )("%s: DEL keeps what it can't free, and succeeds where nothing is left", async (_, makePath) => {
    const dataDir = copyOfData(world(), testFolder());
    const before = treeOf(dataDir);
    const bad: BadCall = { path: makePath(world()), ipam: { timeout: 2 } };
    const [nothing, live] = await Promise.all([
      call(world(), "DEL", "c-none", bad, dataDir),
      call(world(), "DEL", "c-live", bad, dataDir),
    ]);
    expectSuccess(world(), nothing);
    expect(nothing.stdout).toBe("");
    expect(live.exitCode).toBe(1);
    expect(live.json).toMatchObject({ code: expect.any(Number), msg: expect.any(String) });
    // The record says which process was at work, for the next DEL to wait for.
    const after = treeOf(dataDir);
    expect(after).toHaveProperty([heldRecord]);
    after[heldRecord] = (after[heldRecord] as string).replace(/"delegatePid":[^,]+,/, "");
    expectSameTree(
      { ...before, [heldRecord]: before[heldRecord]?.replace(/"delegatePid":[^,]+,/, "") ?? "" },
      after,
    );
  });
});

describeEverywhere(
  "a host-local that hangs is ended inside the time of the call",
  (world) => {
    it.each([
      ["asked to end", "exec sleep 60"],
      ["killed, since it doesn't listen", "trap '' TERM; exec sleep 60"],
      ["left alone with a child that holds its pipe", "sleep 8 2>/dev/null & exec sleep 60"],
    ])("%s", async (_, text) => {
      const dataDir = copyOfData(world(), testFolder());
      const bad: BadCall = { path: script(text)(), ipam: { timeout: 2 } };
      const answer = await call(world(), "ADD", "c-new", bad, dataDir);
      expectError(world(), answer, 100, [/was ended, the call's 2 s being nearly over/]);
      expect(answer.milliseconds).toBeLessThan(6000); // and what a loaded machine takes to start programs
    });
  },
  { hostLocals: "one", runtimes: "one" }, // a script stands in for host-local, and hangs for seconds
);
