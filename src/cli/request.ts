import type { Environment } from "../cni/environment.ts";
import type { Log } from "../host/log.ts";
import { readKubeNodeRequest } from "../request/kube-node.ts";
import { readNodeAnnotationRequest } from "../request/node-annotation.ts";
import type { ReadRequest } from "../request/request.ts";
import type { Configuration } from "./configuration.ts";
import type { Terminal } from "./terminal.ts";

const readers = { "kube-node": readKubeNodeRequest, "node-annotation": readNodeAnnotationRequest };

/** Where runtimes keep plugins, in their order of custom: for a person's shell has no CNI_PATH. */
export const usualFolders: readonly string[] = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"];

/** CNI_PATH, else the usual folders. */
export function pluginFolders(env: Environment): string[] {
  const given = (env["CNI_PATH"] ?? "").split(":").filter(Boolean);
  return given.length > 0 ? given : [...usualFolders];
}

/** A configuration as the plugin itself reads it; what it would log as a warning is a note here. */
export async function readRequest(
  { program, network }: Configuration,
  terminal: Terminal,
): Promise<ReadRequest> {
  const { env } = terminal;
  return await readers[program](network, pluginFolders(env), env, () => openNotes(terminal));
}

function openNotes({ note }: Terminal): Log {
  const pass = () => {};
  const warn: Log["warn"] = (message, fields) => note(`warning: ${message} ${JSON.stringify(fields)}`);
  return { trace: pass, debug: pass, info: pass, warn, error: warn };
}
