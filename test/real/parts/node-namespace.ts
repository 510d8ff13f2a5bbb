import { type EmbeddedApiServer, startEmbeddedApiServer } from "../../parts/embedded-api-server.ts";
import * as net from "../../parts/namespace.ts";

/** A namespace that stands for a machine, and an API server that is reached from there. */
export type NodeNamespace = { node: net.Namespace; server: EmbeddedApiServer; close(): Promise<void> };

/** The wire between the machine's own namespace and this one has addresses of RFC 2544, by this process's number. */
export async function startNodeNamespace(): Promise<NodeNamespace> {
  const node = net.makeNamespace("node");
  const prefix = `198.18.${process.pid % 250}`;
  net.connect(
    { link: `kn${process.pid}`, addresses: [`${prefix}.1/30`] },
    { namespace: node, link: "api", addresses: [`${prefix}.2/30`] },
  );
  const server = await startEmbeddedApiServer({ addresses: [`${prefix}.1`] });
  return {
    node,
    server,
    close: async () => {
      await server.close();
      net.removeNamespaces([node]);
    },
  };
}
