import { defineCommand, text } from "./command.ts";
import { readConfiguration } from "./configuration.ts";
import { type Access, showOwnNode } from "./own-node.ts";
import { readRequest } from "./request.ts";
import type { Terminal } from "./terminal.ts";

/** Flags that say how to ask the API server. */
export const accessInputs = {
  kubeconfig: text(
    "FILE",
    "credentials (default: the configuration's, $KUBECONFIG, ~/.kube/config, in-cluster, the kubelet's)",
  ),
  config: text("CONF", "a plugin configuration or conflist to take kubeconfig and nodeName from"),
} as const;

export const myNode = defineCommand({
  name: "my-node",
  summary: "this machine's Node as JSON, found as the plugin finds it",
  inputs: {
    ...accessInputs,
    node: text("NAME", "the Node's name, where this machine's can't be told (default: $NODE_NAME)"),
  },
  examples: [
    ["kube-node my-node", "the Node of this machine"],
    [
      "kube-node my-node --config=/etc/cni/net.d/10-net1.conflist",
      "as a plugin of that configuration finds it",
    ],
    ["kube-node my-node | jq .metadata.annotations", "its annotations"],
  ],
  async run({ kubeconfig, config, node }, terminal) {
    const access = await readAccess({ kubeconfig, config }, terminal);
    terminal.say(await showOwnNode({ ...access, nodeName: node ?? access.nodeName }));
    return 0;
  },
});

/** A flag before what the configuration says. */
export async function readAccess(
  { kubeconfig, config }: { kubeconfig: string | undefined; config: string | undefined },
  terminal: Terminal,
): Promise<Access> {
  const request = config === undefined ? undefined : await readRequest(readConfiguration(config), terminal);
  return { env: terminal.env, kubeconfig: kubeconfig ?? request?.kubeconfig, nodeName: request?.nodeName };
}
