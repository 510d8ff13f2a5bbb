import type { DemoNode } from "./cluster.ts";

/** What ends the demo early. */
export const stopSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A pod, and the node it runs on. */
export type Pod = { name: string; namespace: string; node: DemoNode };

/** What a runtime's calls are made in. There are two: namespaces, and where there can be none, folders. */
export type Stage = {
  /** What namespaces would need and isn't here. */
  lacks: string[];
  /** Where the API server listens; without a port any will do. */
  api: { address: string; port?: number };
  /** The plugin that the runtime executes, and CNI_PATH, as the node sees them. */
  plugin: string;
  cniPath: string;
  /** Whether each node has a machine-id of its own. */
  hasMachineIDs: boolean;
  /** A folder of the node's own: its path on the node, and for this process. */
  varLib(node: DemoNode): { there: string; here: string };
  addNode(node: DemoNode): void;
  /** Other nodes send what is for these ranges to this node. */
  addRoutes(node: DemoNode, ranges: string[]): void;
  /** The pod's CNI_NETNS. */
  addPod(pod: Pod): string;
  /** A command as it is executed on the node. */
  onNode(node: DemoNode, command: string[]): string[];
  /** Absent where pods have no network. */
  ping?(from: Pod, address: string): Promise<boolean>;
};
