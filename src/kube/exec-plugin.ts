import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, sep } from "node:path";
import { CniError, code } from "../cni/error.ts";
import { isObject, type JsonObject } from "../text/json.ts";
import type { ClusterAccess } from "./cluster.ts";
import type { Caller, Environment } from "./connection.ts";
import { complain, flagAt, resolvePath, type Section, sectionsAt, textAt, textsAt } from "./section.ts";
import { type Credentials, isToken } from "./user.ts";

type Call = Caller & { exec: Section; cluster: Section; access: ClusterAccess };

const versions = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];
const interactiveModes = ["Never", "IfAvailable", "Always"];
const longestRun = 10_000;
const longestOutput = 1 << 20;

/** Credentials from a credential plugin (client-go, KEP 541). Its output is never part of an error. */
export async function runExecPlugin(call: Call): Promise<Credentials> {
  const { exec, env } = call;
  const apiVersion = readVersion(exec);
  const interactive = isInteractive(call, apiVersion);
  const program = findProgram(exec, env);
  const childEnv = {
    ...env,
    ...Object.fromEntries(sectionsAt(exec, "env").map((item) => [nameOf(item), textAt(item, "value") ?? ""])),
    KUBERNETES_EXEC_INFO: JSON.stringify(describeCall(call, apiVersion, interactive)),
  };
  const words = textsAt(exec, "args");
  const output = await run(
    exec,
    (report) => start([program, ...words], childEnv, call, interactive, report),
    millisecondsFor(call),
  );
  return readCredential(exec, apiVersion, output);
}

function readVersion(exec: Section): string {
  const version = textAt(exec, "apiVersion");
  if (version !== undefined && versions.includes(version)) return version;
  throw complain(exec, "apiVersion", `: expected ${versions.join(" or ")}`);
}

/** Whether the plugin may ask somebody on standard input: "IfAvailable" where it can, "Always" where it has to. */
function isInteractive({ exec, attended = false }: Call, apiVersion: string): boolean {
  const mode = textAt(exec, "interactiveMode") ?? (apiVersion === versions[0] ? undefined : "IfAvailable");
  if (mode === undefined || !interactiveModes.includes(mode)) {
    throw complain(exec, "interactiveMode", `: expected ${interactiveModes.join(", ")}`);
  }
  const possible = attended && process.stdin.isTTY === true;
  if (mode === "Always" && !possible)
    throw complain(exec, "interactiveMode", ": Always, but nobody is here to be asked");
  return possible && mode !== "Never";
}

/** Somebody who logs in with a browser takes the time that he needs; undefined: no limit. */
function millisecondsFor({ attended, deadline }: Call): number | undefined {
  if (attended) return undefined;
  return Math.min(longestRun, (deadline ?? Number.POSITIVE_INFINITY) - Date.now());
}

function nameOf(item: Section): string {
  const name = textAt(item, "name");
  if (name === undefined) throw complain(item, "name", " is missing");
  return name;
}

/** A command with a slash is a path, relative to the kubeconfig's folder; any other is looked for in PATH. */
function findProgram(exec: Section, env: Environment): string {
  const command = textAt(exec, "command");
  if (command === undefined) throw complain(exec, "command", " is missing");
  const folders = (env["PATH"] ?? env["Path"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const isPath = command.includes("/") || command.includes(sep);
  const places = isPath ? [resolvePath(exec, command)] : folders.map((folder) => `${folder}/${command}`);
  const found = places.flatMap((place) => endings(env).map((ending) => place + ending)).find(isProgram);
  if (found !== undefined) return found;
  const looked = isPath ? "" : ` in PATH (${folders.join(delimiter) || "empty"})`;
  const hint = textAt(exec, "installHint")
    ?.replace(/[^\P{C}\n\t]/gu, "")
    .trim();
  throw complain(exec, "command", `: there is no program ${JSON.stringify(command)}${looked}`, hint);
}

/** Windows finds aws.exe under the name aws. */
function endings(env: Environment): string[] {
  if (process.platform !== "win32") return [""];
  return ["", ...(env["PATHEXT"] ?? ".COM;.EXE;.BAT;.CMD").split(";")];
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** What the plugin is told in KUBERNETES_EXEC_INFO. */
function describeCall({ exec, cluster, access }: Call, apiVersion: string, interactive: boolean): object {
  const spec = flagAt(exec, "provideClusterInfo") ? { cluster: describeCluster(cluster, access) } : {};
  return { apiVersion, kind: "ExecCredential", spec: { ...spec, interactive } };
}

function describeCluster(
  cluster: Section,
  { server, ca, serverName, insecure, proxy }: ClusterAccess,
): object {
  const extensions = sectionsAt(cluster, "extensions");
  const own = extensions.find((item) => textAt(item, "name") === "client.authentication.k8s.io/exec");
  return {
    server,
    ...(serverName !== undefined && { "tls-server-name": serverName }),
    ...(insecure && { "insecure-skip-tls-verify": true }),
    ...(ca !== undefined && { "certificate-authority-data": Buffer.from(ca).toString("base64") }),
    ...(proxy !== undefined && { "proxy-url": proxy }),
    ...(flagAt(cluster, "disable-compression") && { "disable-compression": true }),
    config: own?.values["extension"] ?? null,
  };
}

type Report = (code: string) => void;

/** Standard output of a program. */
function run(
  exec: Section,
  begin: (report: Report) => ChildProcess | undefined,
  milliseconds: number | undefined,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const fail = (problem: string) => {
      clearTimeout(timer);
      reject(unavailable(exec, problem));
    };
    const stop = (problem: string) => {
      killGroup(child);
      fail(problem);
    };
    const timer =
      milliseconds === undefined
        ? undefined
        : setTimeout(() => stop("did not end in time"), Math.max(0, milliseconds));
    const child = begin((code) => fail(`can't be run (${code})`));
    child?.stdout?.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > longestOutput) stop(`printed more than ${longestOutput} bytes`);
    });
    child?.on("close", (status, signal) => {
      if (status !== 0) return fail(signal ? `was ended by ${signal}` : `failed with exit code ${status}`);
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).toString("utf8"));
    });
  });
}

/**
 * Unattended it runs in a process group of its own, so that all of it ends with its time. Node tells of a program that can't be
 * run by an event, Bun by throwing.
 */
function start(
  [program, ...args]: [string, ...string[]],
  env: Environment,
  { attended = false }: Caller,
  interactive: boolean,
  onError: Report,
): ChildProcess | undefined {
  const report = (error: unknown) =>
    onError((error as NodeJS.ErrnoException).code ?? "for an unknown reason");
  try {
    const child = spawn(program, args, {
      env: { ...env },
      stdio: [interactive ? "inherit" : "ignore", "pipe", attended ? "inherit" : "ignore"],
      detached: !attended,
      shell: /\.(bat|cmd)$/i.test(program),
    });
    return child.on("error", report);
  } catch (error) {
    report(error);
    return undefined;
  }
}

function killGroup(child: ChildProcess | undefined): void {
  try {
    if (child?.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
  child?.stdout?.destroy();
}

function readCredential(exec: Section, apiVersion: string, output: string): Credentials {
  const status = readStatus(exec, apiVersion, output);
  const [token, cert, key] = ["token", "clientCertificateData", "clientKeyData"].map((name) =>
    textOf(exec, status[name]),
  );
  if (token && !isToken(token))
    throw unavailable(exec, "gave a token that is not one word of ASCII characters");
  if (!cert !== !key) throw unavailable(exec, "gave only one of clientCertificateData and clientKeyData");
  if (!token && !cert) throw unavailable(exec, "gave neither a token nor a certificate");
  return { ...(token && { token }), ...(cert && key && { cert, key }) };
}

function textOf(exec: Section, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value.trim();
  throw unavailable(exec, "gave credentials that are no strings");
}

function readStatus(exec: Section, apiVersion: string, output: string): JsonObject {
  let credential: unknown;
  try {
    credential = JSON.parse(output);
  } catch {
    throw unavailable(exec, "did not print JSON");
  }
  if (!isObject(credential) || credential["kind"] !== "ExecCredential")
    throw unavailable(exec, "printed no ExecCredential");
  if (credential["apiVersion"] !== apiVersion)
    throw unavailable(exec, `printed an apiVersion that is not ${apiVersion}`);
  const status = credential["status"];
  if (!isObject(status)) throw unavailable(exec, "printed an ExecCredential without status");
  return status;
}

/** The kubeconfig may be right, and the next run may succeed: an outage. */
function unavailable(exec: Section, problem: string): CniError {
  const command = JSON.stringify(textAt(exec, "command"));
  const remedy = "run it by hand to see what it says";
  return new CniError(
    code.tryAgainLater,
    `${exec.file}: ${exec.path}: the credential plugin ${command} ${problem}`,
    remedy,
  );
}
