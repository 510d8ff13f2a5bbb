import type { Environment } from "../cni/environment.ts";
import type { Log } from "../host/log.ts";
import { readers } from "../request/readers.ts";
import type { ReadRequest } from "../request/request.ts";
import { text } from "./command.ts";
import type { Configuration } from "./configuration.ts";
import { describeWarning } from "./log-words.ts";
import type { Terminal } from "./terminal.ts";

/** Where runtimes keep plugins, in their order of custom: for a person's shell has no CNI_PATH. */
const usualFolders: readonly string[] = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"];

/** The flag that says otherwise. */
export const cniPathInput = text(
  "DIRS",
  "where host-local is (default: $CNI_PATH, else /opt/cni/bin:/usr/lib/cni:/usr/libexec/cni)",
);

/** What that flag says, else CNI_PATH, else the usual folders. */
export function pluginFolders(env: Environment, cniPath?: string): string[] {
  if (cniPath !== undefined) return cniPath.split(":").filter(Boolean);
  const given = (env["CNI_PATH"] ?? "").split(":").filter(Boolean);
  return given.length > 0 ? given : [...usualFolders];
}

/** A person's own, which a runtime mostly has not: credentials and a name that an ADD would not find. */
const persons = ["KUBECONFIG", "HOME", "NODE_NAME"];

/** The environment that a plugin would have of a runtime, as far as it can be known from a person's. */
function runtimeEnvironment(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !persons.includes(name)));
}

/** A configuration as the plugin itself reads it when a runtime calls; what it would log as a warning is a note here. */
export async function readRequest(
  { program, network }: Configuration,
  terminal: Terminal,
): Promise<ReadRequest> {
  const env = runtimeEnvironment(terminal.env);
  return await readers[program](network, pluginFolders(env), env, () => openNotes(terminal));
}

function openNotes({ note }: Terminal): Log {
  const pass = () => {};
  const warn: Log["warn"] = (message, fields) => note(describeWarning(message, fields));
  return { trace: pass, debug: pass, info: pass, warn, error: warn };
}
