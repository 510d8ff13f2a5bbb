import { isText } from "../api/plugin-config.ts";
import { type Call, type Environment, readCall } from "../cni/environment.ts";
import { CniError, code, formatError } from "../cni/error.ts";
import { type Network, parseNetwork } from "../cni/network.ts";
import { type CniVersion, isAtLeast, isVersion, newest, versions } from "../cni/versions.ts";
import { noteCall } from "../host/call-notes.ts";
import { readToEnd, writeAll } from "../host/files.ts";
import { isPodsFile } from "../host/pods-files.ts";
import { readNodeAnnotationRequest } from "../request/node-annotation.ts";
import { type PluginName, readers } from "../request/readers.ts";
import type { ReadRequest } from "../request/request.ts";
import { fold } from "../text/fold.ts";
import { isObject, type JsonObject } from "../text/json.ts";
import { add } from "./add.ts";
import { check, del } from "./del.ts";
import { beginEarly, noEarlyDelegate } from "./early-delegate.ts";
import type { Request } from "./request.ts";

/** The version that errors answer in: the newest, until the configuration has said which. */
type Asked = { cniVersion: CniVersion };

type Served = Exclude<Call, { verb: "VERSION" }>;

/** Bytes of a network configuration at most; real ones have a few thousand. */
const longestInput = 4 << 20;

/** One call of a runtime: environment and standard input to the document on standard output, and the exit code. */
export async function runPlugin(plugin: PluginName, env: Environment): Promise<number> {
  const asked: Asked = { cniVersion: newest };
  try {
    const exitCode = print(await answer(plugin, env, asked));
    note(env, exitCode === 0 ? "ok" : String(code.io));
    return exitCode;
  } catch (error) {
    return await printError(error, asked.cniVersion);
  }
}

/** For the agent's metrics. Time counts from the start of this process. */
function note({ CNI_COMMAND: verb = "" }: Environment, result: string): void {
  if (verb !== "VERSION") noteCall({ verb, result, milliseconds: performance.now() });
}

async function answer(plugin: PluginName, env: Environment, asked: Asked): Promise<string> {
  const call = readCall(env);
  if (call.verb === "VERSION") return describeVersions(readInput());
  const early = beginEarly(call, env);
  try {
    const network = parseNetwork(readInput());
    asked.cniVersion = network.cniVersion;
    checkVersion(call, network.cniVersion);
    const request = await readRequest(plugin, call, network, env);
    return await serve({ ...request, early }, call);
  } finally {
    await early.abandon();
  }
}

/** node-annotation without CNI_COMMAND, as in `cat test.cfg | node-annotation`. */
export async function runTryOut(env: Environment): Promise<number> {
  try {
    const network = parseNetwork(readInput(), { nameless: true });
    const request = await readNodeAnnotationRequest(
      network,
      (env["CNI_PATH"] ?? "").split(":").filter(Boolean),
      env,
    );
    const { tryOut } = await import("./try-out.ts");
    return print(await tryOut({ ...request, early: noEarlyDelegate }, env));
  } catch (error) {
    return await printError(error, newest);
  }
}

/** What is called seldom is loaded where it is called. */
async function serve(request: Request, call: Served): Promise<string> {
  switch (call.verb) {
    case "ADD":
      return await add(request, call.attachment, call.args);
    case "DEL":
      return await del(request, call.attachment);
    case "CHECK":
      return await check(request, call.attachment);
    case "GC":
      return await (await import("./gc.ts")).collectGarbage(request);
    case "STATUS":
      return await (await import("./status.ts")).status(request);
  }
}

/** A DEL whose configuration is faulty frees what it holds all the same: what it takes for that is left of it. */
async function readRequest(
  plugin: PluginName,
  call: Served,
  network: Network,
  env: Environment,
): Promise<ReadRequest> {
  const read = readers[plugin];
  try {
    return await read(network, call.path, env);
  } catch (error) {
    if (call.verb !== "DEL" || !(error instanceof CniError) || error.code !== code.invalidConfig) throw error;
    // Of nv-ipam's configurations nothing more is left than of our own.
    const salvaged = plugin === "nv-ipam" ? readers["kube-node"] : read;
    return await salvaged(salvage(network), call.path, { ...env, NODE_ANNOTATION_CFG: "/dev/null" });
  }
}

function salvage(network: Network): Network {
  const { ipam, runtimeConfig: _runtimeConfig, args: _args, ...raw } = network.raw;
  const given = Object.entries(isObject(ipam) ? ipam : {}).find(
    ([key]) => fold(key) === fold("dataDir"),
  )?.[1];
  const dataDir = isText(given) && !isPodsFile(given) ? { dataDir: given } : {};
  return { ...network, raw: { ...raw, ipam: { annotation: "none", ...dataDir } } };
}

function readInput(): string {
  try {
    return readToEnd(0, longestInput);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CniError(
      code.decoding,
      "network configuration is too large",
      `standard input: ${error.message}`,
    );
  }
}

/** libcni may send anything, or nothing, with VERSION. */
function describeVersions(input: string): string {
  const asked = parseLeniently(input)?.["cniVersion"];
  return JSON.stringify({ cniVersion: isVersion(asked) ? asked : newest, supportedVersions: versions });
}

function parseLeniently(input: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(input);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const since: Partial<Record<Call["verb"], CniVersion>> = { CHECK: "0.4.0", GC: "1.1.0", STATUS: "1.1.0" };

function checkVersion({ verb }: Call, asked: CniVersion): void {
  const first = since[verb];
  if (first === undefined || isAtLeast(asked, first)) return;
  throw new CniError(
    code.incompatibleVersion,
    `${verb} is not in CNI ${asked}`,
    `cniVersion: expected ${first} or newer`,
  );
}

/** `noted` is told the code, when it has been printed. */
async function printError(
  error: unknown,
  cniVersion: CniVersion,
  noted: (code: number) => void = () => {},
): Promise<number> {
  const { toCniError } = await import("./fault.ts");
  const fault = toCniError(error);
  const exitCode = print(formatError(fault, cniVersion), 1);
  noted(fault.code);
  return exitCode;
}

/** A result that nobody can read is no success. */
function print(document: string, exitCode = 0): number {
  try {
    if (document !== "") writeAll(1, document.endsWith("\n") ? document : `${document}\n`);
    return exitCode;
  } catch (error) {
    warn(`standard output can't be written: ${(error as Error).message}`);
    return 1;
  }
}

function warn(words: string): void {
  try {
    writeAll(2, `${words}\n`);
  } catch {
    // Nowhere left to say it.
  }
}
