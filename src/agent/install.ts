import type { AgentConfig } from "./config.ts";

/** Executables, credentials and configuration, once. */
export async function install(_config: AgentConfig): Promise<number> {
  throw new Error("install is not there yet");
}
