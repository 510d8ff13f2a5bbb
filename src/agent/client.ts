import { type Client, createClient } from "../kube/client.ts";
import type { AgentContext } from "./context.ts";
import { countRequests } from "./metrics.ts";

/** A client with the credentials of now, whose requests are counted. Close it. */
export async function openClient(
  { connect, metrics, signal }: AgentContext,
  options: { requestTimeoutMs?: number; signal?: AbortSignal } = {},
): Promise<Client> {
  const client = await createClient(await connect(), { signal, userAgent: "kube-node-agent", ...options });
  return countRequests(metrics, client);
}
