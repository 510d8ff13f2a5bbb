import { CniError } from "../cni/error.ts";
import { type CniVersion, closest, isAtLeast } from "../cni/versions.ts";
import { type Ended, run } from "../host/exec.ts";
import { version } from "../host/version.ts";
import { findDelegate } from "../request/find-delegate.ts";
import type { ReadRequest } from "../request/request.ts";
import { isObject } from "../text/json.ts";
import type { Configuration } from "./configuration.ts";
import { type Finding, fail, failBy, good, warn } from "./finding.ts";
import { pluginFolders } from "./request.ts";
import { findProgram } from "./trial.ts";

/** The programs that a pod's start executes: main plugin, ours, delegate. */
export async function examinePrograms(
  { program, network }: Configuration,
  request: ReadRequest,
): Promise<Finding[]> {
  const folders = pluginFolders(request.env);
  const { type } = network.raw;
  const main =
    type === undefined || type === program ? [] : [await examineMain(String(type), folders, request)];
  return [...main, await examineOwn(program, folders), await examineDelegate(request)];
}

async function examineMain(type: string, folders: string[], { network }: ReadRequest): Promise<Finding> {
  const check = "main plugin";
  const path = findProgram(folders, type);
  if (path === undefined)
    return fail(
      check,
      `${type} is in none of ${folders.join(", ")}`,
      "install the CNI plugins (containernetworking-plugins), or set CNI_PATH as the runtime has it",
    );
  const spoken = await askVersions(path);
  if (spoken.length > 0 && !spoken.includes(network.cniVersion))
    return fail(
      check,
      `${path} doesn't speak CNI ${network.cniVersion}`,
      `set cniVersion to ${spoken.at(-1)}, or install a newer one`,
    );
  return good(check, describe(path, await askRelease(path), spoken));
}

async function examineOwn(program: Configuration["program"], folders: string[]): Promise<Finding> {
  const path = findProgram(folders, program);
  if (path === undefined)
    return fail(
      program,
      `it is in none of ${folders.join(", ")}`,
      "put it there (build.sh install), or set CNI_PATH as the runtime has it",
    );
  const { stdout } = await execute('exec "$0" --version', path);
  // Under nv-ipam's name it says what it is; the real one says something else.
  const name = program === "nv-ipam" ? "kube-node" : program;
  const installed = stdout.trim().replace(`${name} `, "");
  if (installed === version) return good(program, `${path}, version ${installed}`);
  return warn(
    program,
    `${path} is version ${installed || "unknown"}, this is ${version}`,
    "install the one that you want to run",
  );
}

async function examineDelegate({ delegate, network }: ReadRequest): Promise<Finding> {
  let path: string;
  try {
    path = findDelegate(delegate);
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    return failBy("delegate", error);
  }
  const spoken = await askVersions(path);
  if (spoken.length === 0)
    return fail(
      "delegate",
      `${path} doesn't answer to CNI_COMMAND=VERSION`,
      "is it a CNI plugin, built for this machine?",
    );
  const words = describe(path, await askRelease(path), spoken);
  const common = closest(network.cniVersion, spoken);
  if (common === undefined)
    return fail("delegate", `${words}: no version of CNI that we speak`, "install a newer one");
  return good(
    "delegate",
    isAtLeast(common, network.cniVersion) ? words : `${words}; it is spoken to in ${common}`,
  );
}

function describe(path: string, release: string | undefined, spoken: CniVersion[]): string {
  const versions = spoken.length === 0 ? "" : `, CNI ${spoken[0]} to ${spoken.at(-1)}`;
  return `${path}${release === undefined ? "" : `, ${release}`}${versions}`;
}

/** What plugins say of themselves where CNI_COMMAND isn't set; a distribution's build may not know its version. */
async function askRelease(path: string): Promise<string | undefined> {
  const { stdout } = await execute('exec "$0" 2>&1 </dev/null', path);
  return /plugin (?:version )?(v?\d\S*)/.exec(stdout)?.[1];
}

async function askVersions(path: string): Promise<CniVersion[]> {
  const { stdout } = await execute(
    'CNI_COMMAND=VERSION exec "$0" 2>/dev/null',
    path,
    '{"cniVersion": "1.0.0"}',
  );
  try {
    const answer: unknown = JSON.parse(stdout);
    return isObject(answer) && Array.isArray(answer["supportedVersions"]) ? answer["supportedVersions"] : [];
  } catch {
    return [];
  }
}

/** With nothing of the environment: these are questions, not calls. */
async function execute(script: string, path: string, stdin = ""): Promise<Ended> {
  const deadline = Date.now() + 5000;
  return await run({
    path: "/bin/sh",
    args: ["-c", script, path],
    env: {},
    stdin,
    time: { deadline, end: deadline + 1000 },
  });
}
