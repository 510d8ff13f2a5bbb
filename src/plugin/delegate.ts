import type { Environment } from "../cni/environment.ts";
import { CniError, code } from "../cni/error.ts";
import { convertResult, hasAddresses } from "../cni/result.ts";
import { type CniVersion, closest, isAtLeast } from "../cni/versions.ts";
import { begin, type Ended, finish } from "../host/exec.ts";
import { isErrno } from "../host/files.ts";
import type { Child } from "../host/spawn.ts";
import { isObject, type JsonObject } from "../text/json.ts";
import { quote } from "../text/quote.ts";
import { rememberedVersion, rememberVersion } from "./delegate-version.ts";
import type { Request } from "./request.ts";

/**
 * Runs a verb of the delegate at `path` with this configuration; its own errors pass through as they are. `started` is told of
 * each process before that is told anything.
 */
export async function callDelegate(
  request: Request,
  path: string,
  config: JsonObject,
  env: Environment,
  started: (pid: number) => void = () => {},
): Promise<string> {
  const asked = request.network.cniVersion;
  const spoken = rememberedVersion(request.state.folder, path, asked) ?? asked;
  const first = await attempt(request, path, config, env, spoken, started);
  if (!(first instanceof CniError)) return readAnswer(first, env, asked, spoken);
  const older =
    first.code === code.incompatibleVersion ? await agreeOnVersion(request, path, asked) : undefined;
  if (older === undefined || older === spoken) throw first;
  const second = await attempt(request, path, config, env, older, started);
  if (second instanceof CniError) throw second;
  return readAnswer(second, env, asked, older);
}

/** It may hold leases now: it was ended, or its answer can't be read. */
export class UnsettledError extends CniError {}

async function attempt(
  request: Request,
  path: string,
  config: JsonObject,
  env: Environment,
  version: CniVersion,
  started: (pid: number) => void,
): Promise<string | CniError> {
  const stdin = JSON.stringify({ ...inVersion(config, version), cniVersion: version });
  request.log.trace("to the delegate", { delegate: path, command: env["CNI_COMMAND"] });
  const child = await start(path, env, request.early.take(path, env));
  try {
    started(child.pid);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  const ended = await finish(child, stdin, request.budget.time);
  request.log.trace("from the delegate", { delegate: path, ...ended });
  return ended.exitCode === 0 && !ended.timedOut
    ? ended.stdout
    : failure(path, ended, request.budget.timeout);
}

/** A result of an earlier plugin is read in the version of the configuration that it comes in. */
function inVersion(config: JsonObject, version: CniVersion): JsonObject {
  const { prevResult } = config;
  if (!hasAddresses(prevResult) || config["cniVersion"] === version) return config;
  const sameShape = isAtLeast(version, "1.0.0");
  return {
    ...config,
    prevResult: sameShape ? { ...prevResult, cniVersion: version } : convertResult(prevResult, version),
  };
}

async function start(path: string, env: Environment, early?: Promise<Child>): Promise<Child> {
  try {
    return await (early ?? begin({ path, env }));
  } catch (error) {
    const reason = (error as Error).message;
    const hint = isErrno(error, "ENOEXEC") ? `${reason}; is it built for this machine?` : reason;
    throw new CniError(code.io, `delegate plugin ${path} can't be started`, hint, error);
  }
}

function failure(path: string, { stdout, exitCode, signal, timedOut }: Ended, timeout: number): CniError {
  if (timedOut) {
    const hint =
      "it may have waited for its lock: look for a delegate that hangs, or give ipam.timeout more seconds";
    return new UnsettledError(
      code.delegate,
      `delegate plugin ${path} was ended, the call's ${timeout} s being nearly over`,
      hint,
    );
  }
  const error = parseError(stdout);
  if (error) return error;
  const how = signal ? `ended by ${signal}` : `exit code ${exitCode}`;
  return new UnsettledError(
    code.delegate,
    `delegate plugin ${path} failed without a CNI error: ${how}`,
    `stdout: ${excerpt(stdout)}`,
  );
}

function parseError(stdout: string): CniError | undefined {
  const value = parseDocument(stdout);
  if (typeof value?.["code"] !== "number" || typeof value["msg"] !== "string") return undefined;
  return new CniError(
    value["code"],
    value["msg"],
    typeof value["details"] === "string" ? value["details"] : "",
  );
}

function parseDocument(stdout: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(stdout);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // The caller says what it was instead.
  }
}

function excerpt(text: string): string {
  return text.trim() === "" ? "empty" : quote(text, 200);
}

/** ADD's result as the delegate gave it; put into the asked version where the delegate doesn't speak that. */
function readAnswer(stdout: string, env: Environment, asked: CniVersion, spoken: CniVersion): string {
  if (env["CNI_COMMAND"] !== "ADD") return "";
  const result = parseDocument(stdout);
  if (!hasAddresses(result)) {
    throw new UnsettledError(
      code.delegate,
      "the delegate's ADD gave no address",
      `stdout: ${excerpt(stdout)}`,
    );
  }
  return asked === spoken ? stdout : JSON.stringify(convertResult(result, asked));
}

async function agreeOnVersion(
  request: Request,
  path: string,
  asked: CniVersion,
): Promise<CniVersion | undefined> {
  const spoken = closest(asked, await delegateVersions(request, path));
  request.log.debug("delegate speaks an older version", { delegate: path, asked, spoken });
  if (spoken !== undefined) rememberVersion(request.state.folder, path, asked, spoken);
  return spoken;
}

/** What a delegate answers to VERSION; nothing where it answers no such thing. Throws where it doesn't end in time. */
export async function delegateVersions({ env, budget }: Request, path: string): Promise<unknown[]> {
  const stdin = JSON.stringify({ cniVersion: "1.0.0" });
  const child = await start(path, { ...env, CNI_COMMAND: "VERSION" });
  const ended = await finish(child, stdin, budget.time);
  if (ended.timedOut) throw failure(path, ended, budget.timeout);
  const spoken = parseDocument(ended.stdout)?.["supportedVersions"];
  return Array.isArray(spoken) ? spoken : [];
}
