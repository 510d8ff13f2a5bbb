import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { execa, execaSync } from "execa";
import { afterAll, describe, expect, it, vi } from "vitest";
import { linksOf } from "../parts/namespace.ts";
import { executables } from "../parts/plugin.ts";
import { runFolder } from "../parts/run-folder.ts";
import {
  checkout,
  firstProgram,
  inPath,
  mainPlugins,
  namespaces,
  type Requirement,
  root,
  whatLacks,
} from "../parts/tools.ts";

const kubeNode = executables()[0]?.command("kube-node")[0] as string;
const main = join(checkout, "examples/demo/main.ts");
const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"];

// Beside the run's own folder, which other users can't enter.
const folder = mkdtempSync(join(dirname(runFolder()), "kube-node-demo-test-"));
chmodSync(folder, 0o1777); // as /tmp is
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// Seconds each, but a busy machine may take its time.
vi.setConfig({ testTimeout: 180_000 });

let count = 0;

/** `undefined` takes a variable away. */
type Environment = Record<string, string | undefined>;

/** A demo with a temporary folder of its own, and a mark that all its processes carry. */
function startDemo(command: string[], env: Environment = {}) {
  const mark = `${process.pid}-${++count}`;
  const temporary = mkdtempSync(join(folder, `${mark}-`));
  chmodSync(temporary, 0o1777);
  const [file, ...args] = command;
  const demo = execa(file as string, args, {
    cwd: checkout,
    env: {
      CNI_PATH: [dirname(kubeNode), mainPlugins().path].join(":"),
      KUBE_NODE: kubeNode,
      NO_PACKAGES: "1",
      TMPDIR: temporary,
      DEMO_TEST_MARK: mark,
      FORCE_COLOR: undefined,
      NO_COLOR: undefined,
      ...env,
    },
    stdin: "ignore",
    all: true,
    detached: true,
    reject: false,
  });
  return { demo, leftovers: () => leftovers(temporary, mark) };
}

async function runDemo(command: string[], env: Environment = {}) {
  const { demo, leftovers } = startDemo(command, env);
  const { exitCode, all, durationMs } = await demo;
  expect(leftovers()).toEqual([]);
  return { exitCode, output: all, durationMs };
}

/** What a demo could leave: files, processes, namespaces, links, mounts. */
function leftovers(temporary: string, mark: string): string[] {
  const own = /^(switch|node-\d|web-\d|ledger)/;
  const links = root().missing ? [] : linksOf().filter((link) => own.test(link));
  const spaces = execaSync("ip", ["netns", "list"], { reject: false }).stdout?.split("\n") ?? [];
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return [
    ...readdirSync(temporary),
    ...links,
    ...spaces.filter((name) => own.test(name)),
    ...mounts.filter((mount) => / \/run\/(nodes|opt)\b/.test(mount)),
    ...readdirSync("/proc").filter(
      (pid) => /^\d+$/.test(pid) && environmentOf(pid).includes(`MARK=${mark}\0`),
    ),
  ];
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
}

/** A table's rows below the line that begins with `head`, as cells. */
function rowsOf(output: string, head: string): string[][] {
  const lines = output.split("\n").map((line) => line.trim());
  const first = lines.findIndex((line) => line.startsWith(head)) + 1;
  return lines.slice(first, lines.indexOf("", first)).map((line) => line.split(/ {2,}/));
}

const holders = [
  ["10.1.1.2", "node-1", "web-1", "default", "eth0", "pods"],
  ["fd00:10:1:1::2", "node-1", "web-1", "default", "eth0", "pods"],
  ["10.1.2.2", "node-2", "web-2", "default", "eth0", "pods"],
  ["fd00:10:1:2::2", "node-2", "web-2", "default", "eth0", "pods"],
  ["10.1.3.2", "node-3", "ledger", "old-application", "eth0", "pods"],
  ["fd00:10:1:3::2", "node-3", "ledger", "old-application", "eth0", "pods"],
  ["fd00:10:1:3::3", "node-3", "web-3", "default", "eth0", "pods"],
  ["172.20.0.10", "node-1", "web-1", "default", "net1", "net1"],
  ["fd00:172:20::10", "node-1", "web-1", "default", "net1", "net1"],
  ["172.20.0.20", "node-2", "web-2", "default", "net1", "net1"],
  ["fd00:172:20::20", "node-2", "web-2", "default", "net1", "net1"],
];

/** What a demo shows with and without namespaces. */
function expectStory(output: string): void {
  expect(rowsOf(output, "NODE  ")).toHaveLength(3);
  expect(rowsOf(output, "ADDRESS  ").sort()).toEqual([...holders].sort());
  expect(output).toContain('"type": "kube-node"');
  expect(output).toContain("CNI_COMMAND=ADD CNI_CONTAINERID=web-1");
  expect(output).toContain('"address": "10.1.1.2/24"');
  expect(output).toContain("GET /api/v1/nodes/node-1  system:node:node-1");
  expect(output).toContain('"ipv4-namespaces": ["old-application"]');
  expect(output).toContain("kubectl annotate node node-1");
  expect(output).toContain('"msg": "Node node-3 has no annotation kube-node.nordix.org/net1"');
  const added = output.split(/^ {4}\S+ CNI_COMMAND=ADD/m).slice(1);
  expect(added).toHaveLength(7); // six with a result, and one that has to fail
  for (const text of added) expect(text).toMatch(/"(ips|msg)": /);
  for (const [address] of holders) expect(output).toMatch(new RegExp(`"address": "${address}/\\d+"`));
  const attachments = "web-1 eth0, web-2 eth0, ledger eth0, web-3 eth0, web-1 net1, web-2 net1";
  expect(output).toContain(`CHECK ok: ${attachments}`);
  expect(output).toContain(`DEL   ok: ${attachments}`);
  expect(output).toContain("No address is leased any more");
  expect(output).toBe(stripVTControlCharacters(output));
}

const hostLocal = firstProgram([join(mainPlugins().path ?? "", "host-local")], "host-local");
const noNetworks = whatLacks(namespaces(), mainPlugins(), hostLocal);

describe.skipIf(noNetworks.some)(`./build.sh demo${noNetworks.words}`, () => {
  it.each(["once", "again"])(
    "%s: real nodes and pods, in under a minute",
    async () => {
      const { exitCode, output, durationMs } = await runDemo(["./build.sh", "demo"]);
      expect(exitCode, output).toBe(0);
      expectStory(output);
      expect(output).toContain("/opt/cni/bin/bridge <pods.json");
      expect(rowsOf(output, "pods  ")).toEqual([
        ["web-1", "IPv4 IPv6", "IPv4 IPv6", "IPv6"],
        ["web-2", "IPv4 IPv6", "IPv4 IPv6", "IPv6"],
        ["ledger", "IPv4 IPv6", "IPv4 IPv6", "IPv6"],
        ["web-3", "IPv6", "IPv6", "IPv6"],
      ]);
      expect(rowsOf(output, "net1  ")).toEqual([
        ["web-1", "IPv4 IPv6"],
        ["web-2", "IPv4 IPv6"],
      ]);
      expect(durationMs).toBeLessThan(60_000);
    },
    120_000,
  );

  it("runs several at once", async () => {
    const all = await Promise.all([1, 2, 3].map(() => runDemo([process.execPath, main])));
    for (const { exitCode, output } of all) expect(exitCode, output).toBe(0);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("%s ends it early, and it tidies up", async (signal) => {
    const { demo, leftovers } = startDemo([process.execPath, main]);
    await waitFor(demo, "\n2. ");
    process.kill(-(demo.pid as number), signal);
    expect(await demo).toMatchObject({ exitCode: 130, all: expect.stringMatching(/\nStopped\.$/) });
    expect(leftovers()).toEqual([]);
  });

  it("killed, it leaves nothing either", async () => {
    const { demo, leftovers } = startDemo([process.execPath, main]);
    await waitFor(demo, "\n2. ");
    process.kill(demo.pid as number, "SIGKILL");
    expect(await demo).toMatchObject({ signal: "SIGKILL" });
    await expect.poll(leftovers, { timeout: 30_000 }).toEqual([]);
  });
});

/** Whether this process, or another user in its place, can run the demo without root. */
function otherUser(): Requirement {
  if (root().missing) return {};
  const script =
    'const fs = require("fs"); fs.accessSync(process.argv[1], fs.constants.X_OK); fs.readFileSync(process.argv[2])';
  const [file, ...args] = [...nobody, process.execPath, "-e", script, kubeNode, main];
  const { failed } = execaSync(file as string, args, { reject: false });
  return failed ? { missing: "setpriv, or a checkout that other users can read" } : {};
}

const plain = root().missing ? [process.execPath, main] : [...nobody, process.execPath, main];
const noPlain = whatLacks(otherUser(), hostLocal);

describe.skipIf(noPlain.some)(`the demo without root${noPlain.words}`, () => {
  it.each(["once", "again"])("%s: runs kube-node by itself, and says what root would add", async () => {
    const { exitCode, output } = await runDemo(plain);
    expect(exitCode, output).toBe(0);
    expectStory(output);
    expect(output).toContain("Without root there are no networks here");
    expect(output).toContain("all pods would ping each other");
    expect(output).not.toContain("ping -c 1");
  });

  it("stopped early, removes its temporary folder", async () => {
    const { demo, leftovers } = startDemo(plain);
    await waitFor(demo, "\n2. ");
    process.kill(-(demo.pid as number), "SIGINT");
    expect(await demo).toMatchObject({ exitCode: 130 });
    expect(leftovers()).toEqual([]);
  });

  it("says which package has host-local, where there is none", async () => {
    const { exitCode, output } = await runDemo(plain, { CNI_PATH: dirname(kubeNode) });
    expect(output).toMatch(/needs host-local.*containernetworking-plugins/);
    expect(exitCode).toBe(1);
  });

  const terminal = firstProgram(inPath("script"), "script (package bsdutils)");
  const noTerminal = whatLacks(terminal);
  it.skipIf(noTerminal.some)(
    `has colours on a terminal, unless NO_COLOR is set${noTerminal.words}`,
    async () => {
      const onTerminal = [
        terminal.path as string,
        "--quiet",
        "--return",
        "--command",
        `env -u CI ${plain.join(" ")}`, // a terminal of CI's has no colours, says Node
        "/dev/null",
      ];
      const { output } = await runDemo(onTerminal, { TERM: "xterm" });
      expect(output).not.toBe(stripVTControlCharacters(output));
      expectStory(stripVTControlCharacters(output).replaceAll("\r", ""));
      const { output: quiet } = await runDemo(onTerminal, { TERM: "xterm", NO_COLOR: "1" });
      expect(quiet).toBe(stripVTControlCharacters(quiet));
    },
  );
});

type Demo = ReturnType<typeof startDemo>["demo"];

async function waitFor(demo: Demo, words: string): Promise<void> {
  let output = "";
  demo.all.on("data", (chunk: Buffer) => {
    output += chunk;
  });
  await expect.poll(() => output, { timeout: 60_000, interval: 20 }).toContain(words);
}
