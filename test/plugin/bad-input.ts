// What the bad-input suites have in common: a node with live leases, calls with something wrong in them, and what must hold.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { machineIDs } from "../../src/host/machine.ts";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { callPlugin, type Executable, type PluginAnswer } from "../parts/plugin.ts";
import type { HostLocal } from "../parts/tools.ts";

/** Words that must never come out again, wherever they were put in. */
export const canary = "c4n4ry";
const canaryInBase64 = Buffer.from(canary).toString("base64");

/** An API server with Node node-a (this machine), and a data folder in which network net1 holds addresses for c-live. */
export type World = {
  server: EmbeddedApiServer;
  kubeconfig: string;
  token: string;
  template: string;
  executable: Executable;
  hostLocal: HostLocal;
};

/** A call: the configuration of net1 with `ipam` and `network` put over it, unless `stdin` says it all. `undefined` takes away. */
export type BadCall = {
  ipam?: Record<string, unknown>;
  network?: Record<string, unknown>;
  stdin?: unknown;
  /** Changes the text of the configuration. */
  edit?: (text: string) => string;
  env?: Record<string, string | undefined>;
  /** CNI_PATH. */
  path?: string;
};

export async function makeWorld(
  executable: Executable,
  hostLocal: HostLocal,
  folder: string,
): Promise<World> {
  const server = await startEmbeddedApiServer();
  await server.createNode({
    name: "node-a",
    machineID: machineIDs()[0] ?? "",
    podCIDRs: ["10.1.2.0/24", "fd00:1::/64"],
    annotations: { good: "10.2.0.0/24" },
  });
  const identity = { kind: "serviceAccount", namespace: "kube-system", name: "cni", mayRead: "all" } as const;
  const kubeconfig = join(folder, "kubeconfig");
  writeFileSync(kubeconfig, await server.kubeconfigFor(identity), { mode: 0o600 });
  const { token = "" } = await server.credentialsFor(identity);
  const template = join(folder, "template");
  mkdirSync(template);
  const world = { server, kubeconfig, token, template, executable, hostLocal };
  const added = await call(world, "ADD", "c-live", {}, template);
  if (added.exitCode !== 0) throw new Error(`no ADD could be made: ${added.stdout}${added.stderr}`);
  return world;
}

/** A data folder as an ADD for c-live left it. */
export function copyOfData({ template }: World, folder: string, name = "data"): string {
  const dataDir = join(folder, name);
  cpSync(template, dataDir, { recursive: true });
  const record = join(dataDir, ".kube-node/net1/attachments/c-live:eth0");
  writeFileSync(record, readFileSync(record, "utf8").replaceAll(template, dataDir));
  return dataDir;
}

/** One call of the plugin for (container, eth0), on that data folder. */
export function call(
  { executable, hostLocal, kubeconfig }: World,
  verb: string,
  containerID: string,
  bad: BadCall,
  dataDir: string,
): Promise<PluginAnswer> {
  const timeout = executable.label === "compiled" ? 5 : 15;
  const ipam = { type: "kube-node", kubeconfig, nodeName: "node-a", dataDir, timeout, ...bad.ipam };
  const network = { cniVersion: verb === "STATUS" ? "1.1.0" : "1.0.0", name: "net1", type: "bridge" };
  const log = { logfile: join(dataDir, "..", "log"), loglevel: "trace" };
  const env = {
    CNI_COMMAND: verb,
    CNI_CONTAINERID: containerID,
    CNI_IFNAME: "eth0",
    CNI_NETNS: "/var/run/netns/none",
    CNI_PATH: bad.path ?? hostLocal.folder,
    ...bad.env,
  };
  const set = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const text = JSON.stringify({ ...network, ipam: { ...log, ...ipam }, ...bad.network });
  return callPlugin({
    command: executable.command("kube-node"),
    env: Object.fromEntries(set),
    stdin: "stdin" in bad ? bad.stdin : (bad.edit?.(text) ?? text),
  });
}

/** Path → content of everything below a folder. */
export function treeOf(folder: string): Record<string, string> {
  if (!existsSync(folder)) return {};
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return Object.fromEntries(
    names.map((name) => {
      const path = join(folder, name);
      const { mode } = statSync(path);
      const kind = (mode & 0o7777).toString(8);
      return [
        name,
        statSync(path).isDirectory() ? `folder ${kind}` : `${kind} ${readFileSync(path, "latin1")}`,
      ];
    }),
  );
}

/** What an API server's answer leaves, and host-local's lock: whole, or not there. */
const notes = /^\.kube-node\/[^/]+\/(?:ranges|failure|version)-[^/]+$/;
const empty = /^(?:\.kube-node(?:\/[^/]+(?:\/attachments)?)?|[^/.]+)$/;
const lock = /^[^/]+\/lock$/;

/** Nothing was lost, changed or left half-written, but for what is `gone`; `made` may be new. */
export function expectSameTree(
  before: Record<string, string>,
  after: Record<string, string>,
  { gone = [], made = [] }: { gone?: string[]; made?: string[] } = {},
): void {
  const kept = Object.entries(before).filter(([name]) => !notes.test(name) && !gone.includes(name));
  const found = Object.entries(after).filter(([name, content]) => {
    if (name in before) return !notes.test(name) && !gone.includes(name);
    return !(lock.test(name) || (empty.test(name) && content.startsWith("folder")) || notes.test(name));
  });
  expect(Object.fromEntries(found.filter(([name]) => !made.includes(name)))).toEqual(
    Object.fromEntries(kept),
  );
  for (const name of gone) expect(after).not.toHaveProperty([name]);
  for (const [name, content] of Object.entries(after)) {
    if (!notes.test(name) || /\/version-/.test(name)) continue;
    expect(() => JSON.parse(content.slice(content.indexOf(" "))), name).not.toThrow();
  }
}

/** A CNI error and nothing else: its code, and words that say all of `says`. */
export function expectError(world: World, answer: PluginAnswer, code: number, says: readonly RegExp[]): void {
  expect(answer).toMatchObject({ timedOut: false, signal: undefined, exitCode: 1 });
  const lines = answer.stdout.trimEnd();
  const document = JSON.parse(lines) as { code: number; msg: string; details?: string };
  expect(
    Object.keys(document).filter((key) => !["cniVersion", "code", "msg", "details"].includes(key)),
  ).toEqual([]);
  const words = `${document.msg}: ${document.details ?? ""}`;
  expect({ code: document.code, words }).toEqual({ code, words: expect.any(String) });
  for (const part of says) expect(words).toMatch(part);
  expect(document.msg).not.toBe("");
  expect(words.length).toBeLessThan(2000);
  expect(words).not.toMatch(/please report/);
  expectDiscretion(world, answer);
}

export function expectSuccess(world: World, answer: PluginAnswer): void {
  expect(answer, answer.stdout).toMatchObject({ timedOut: false, signal: undefined, exitCode: 0 });
  expectDiscretion(world, answer);
}

/** No stack trace and no secret, on no stream. */
export function expectDiscretion({ token }: World, { stdout, stderr }: PluginAnswer, log = ""): void {
  for (const text of [stdout, stderr, log]) {
    expect(text).not.toMatch(/\n\s+at |node:internal|\/\$bunfs|\.ts:\d|Bun v\d/);
    for (const secret of [canary, canaryInBase64, token]) expect(text).not.toContain(secret);
    expect(text).not.toMatch(/PRIVATE KEY-----(?:\\n|\n)/);
  }
}

export function logOf(dataDir: string): string {
  const path = join(dataDir, "..", "log");
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

/** What says that c-live holds addresses. */
export const heldRecord = ".kube-node/net1/attachments/c-live:eth0";
