import { readText } from "../host/files.ts";
import type { Log } from "../host/log.ts";
import { isObject } from "../text/json.ts";
import { type AgentConfig, onHost } from "./config.ts";
import type { Manifest } from "./manifest.ts";

/** Puts the configuration of --cni-config into the host's folder, unless something that isn't ours has its name. Gives what is to be said. */
export async function installCniConfig(config: AgentConfig, manifest: Manifest, log: Log): Promise<string> {
  const source = config.cniConfig;
  if (source === undefined) return "";
  const text = readText(source);
  if (text === undefined) throw new Error(`--cni-config ${source} is absent`);
  check(source, text);
  const path = `${config.cniConfDir}/${source.replace(/^.*\//, "")}`;
  const there = readText(onHost(config, path));
  const state = await manifest.state(path);
  if (there === text && state !== "absent") return "";
  if (state === "foreign") return `${path} is there already, is not ours, and stays as it is`;
  if (state === "changed") return `${path} was changed since it was installed, and stays as it is`;
  if (manifest.put(path, text)) log.info("installed", { file: path });
  return "";
}

/** What a runtime could not read would take the whole node's network. */
function check(source: string, text: string): void {
  const expected = `--cni-config ${source}: expected a CNI network configuration (JSON with "name", and "type" or "plugins")`;
  if (!/\.(conf|conflist|json)$/.test(source))
    throw new Error(
      `--cni-config ${source}: runtimes look for names that end with .conflist, .conf or .json`,
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(expected);
  }
  if (!isObject(value) || typeof value["name"] !== "string") throw new Error(expected);
  if (!("type" in value || Array.isArray(value["plugins"]))) throw new Error(expected);
}
