import type { AgentConfig } from "./config.ts";

export async function uninstall(_config: AgentConfig): Promise<number> {
  throw new Error("uninstall is not there yet");
}
