import { readKubeNodeRequest } from "./kube-node.ts";
import { readNodeAnnotationRequest } from "./node-annotation.ts";

type Read = typeof readKubeNodeRequest;

/** nv-ipam's is loaded where it is asked for. */
const readNvIpamRequest: Read = async (...call) => (await import("./nv-ipam.ts")).readNvIpamRequest(...call);

/** The plugins differ in how they read a request, and in nothing after that. */
export const readers = {
  "kube-node": readKubeNodeRequest,
  "node-annotation": readNodeAnnotationRequest,
  "nv-ipam": readNvIpamRequest,
} satisfies Record<string, Read>;

export type PluginName = keyof typeof readers;
