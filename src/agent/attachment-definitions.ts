import { uptime } from "../host/machine.ts";
import { isStatus } from "../kube/api-error.ts";
import { isObject } from "../text/json.ts";
import type { ConfigurationText } from "../upkeep/served-networks.ts";
import { openClient } from "./client.ts";
import type { AgentContext } from "./context.ts";

/** The cluster's NetworkAttachmentDefinitions as they were last listed; nobody waits for a list. */
export type AttachmentDefinitions = { current(): ConfigurationText[]; stop(): Promise<void> };

/** Seconds between two lists: they change seldom, and each is a request of every node. */
const between = 30 * 60;
/** Seconds after which it is tried again where the list failed. */
const afterFailure = 5 * 60;

const path = "/apis/k8s.cni.cncf.io/v1/network-attachment-definitions";

/** Without the CRD, or without the right to list, there are none. */
export function listAttachmentDefinitions(context: AgentContext): AttachmentDefinitions {
  let known: ConfigurationText[] = [];
  let due = 0;
  let said = "";
  let refreshing = Promise.resolve();

  async function list(): Promise<ConfigurationText[]> {
    const client = await openClient(context, { requestTimeoutMs: 10_000 });
    try {
      return await client.list(path, readDefinition);
    } finally {
      client.close();
    }
  }

  async function refresh(): Promise<void> {
    try {
      known = await list();
      due = uptime() + between;
      said = "";
    } catch (error) {
      const isAbsent = isStatus(error, 404);
      const isRefused = isStatus(error, 401, 403);
      if (isAbsent) known = [];
      // A thousand nodes that lost the API server at one time don't come back at one time.
      due = uptime() + (isAbsent || isRefused ? between : afterFailure * (0.5 + Math.random()));
      const reason = (error as Error).message;
      // Without the right to it, which only a node with Multus needs, this is as it should be.
      const tell = isRefused ? context.log.info : context.log.warn;
      if (!isAbsent && reason !== said && !context.signal.aborted)
        tell("NetworkAttachmentDefinitions can't be listed", { reason });
      said = reason;
    }
  }

  return {
    current() {
      if (uptime() >= due && !context.signal.aborted) {
        due = Number.POSITIVE_INFINITY;
        refreshing = refresh();
      }
      return known;
    },
    stop: () => refreshing,
  };
}

function readDefinition(item: unknown): ConfigurationText | undefined {
  if (!isObject(item) || !isObject(item["metadata"]) || !isObject(item["spec"])) return undefined;
  const { name, namespace } = item["metadata"];
  const { config } = item["spec"];
  // Of one without a configuration, Multus looks for a file of its name in the node's folder.
  if (typeof config !== "string" || config.trim() === "" || typeof name !== "string") return undefined;
  if (!/kube-node|node-annotation|nv-ipam/.test(config)) return undefined;
  return { origin: `NetworkAttachmentDefinition ${namespace}/${name}`, text: config, name };
}
