import type { IncomingMessage } from "node:http";
import type { ApiServer, Credentials, Identity } from "./api-server.ts";
import { createAuthority } from "./certificates.ts";
import { issueClientCertificate } from "./client-certificate.ts";
import { type Answer, answerFailure, Refusal, unauthorized } from "./embedded/answer.ts";
import { authenticate } from "./embedded/authenticator.ts";
import { createFrontDoor, type FrontDoor } from "./embedded/front-door.ts";
import { answerRequest } from "./embedded/node-requests.ts";
import { createNodeStore, describeNode } from "./embedded/node-store.ts";
import { createServiceAccounts } from "./embedded/service-accounts.ts";
import { findFreePort } from "./free-port.ts";
import { formatKubeconfig } from "./kubeconfig.ts";

/** A request as it came; `path` with its query, `user` undefined where the credentials were refused. */
export type RequestRecord = { method: string; path: string; user: string | undefined };

/** An API server in this process, with faults that can be switched on (embedded/fault.ts says what each one is). */
export type EmbeddedApiServer = ApiServer & {
  /** One for each address, in their order. */
  urls: string[];
  /** Whole requests in the order of their coming, faults or not. Empty it with `requests.length = 0`. */
  requests: RequestRecord[];
  connections: FrontDoor["connections"];
  fault: FrontDoor["fault"];
};

/** `addresses` default to 127.0.0.1 alone; `port` is chosen where none is given. */
export type EmbeddedOptions = { addresses?: string[]; port?: number };

/** Starts the server. It keeps this process alive until `stop` or `close`. */
export async function startEmbeddedApiServer(options: EmbeddedOptions = {}): Promise<EmbeddedApiServer> {
  const addresses = options.addresses ?? ["127.0.0.1"];
  const port = options.port ?? (await findFreePort(addresses));
  const authority = await createAuthority("test-authority");
  const nodes = createNodeStore();
  const accounts = createServiceAccounts(nodes.find);
  const requests: RequestRecord[] = [];
  const door = await createFrontDoor({ addresses, port, authority, answer });
  const urls = addresses.map(
    (address) => `https://${address.includes(":") ? `[${address}]` : address}:${port}`,
  );
  const server = { url: urls[0] ?? "", authority: authority.certificate };

  function answer(request: IncomingMessage, body: string): Answer {
    const { method = "GET", url = "/", headers } = request;
    const user = authenticate(request, accounts.findUser);
    requests.push({ method, path: url, user: user?.name });
    if (!user) return unauthorized;
    try {
      const contentType = headers["content-type"] ?? "";
      return answerRequest({ method, url, contentType, body }, user, nodes, accounts.rules);
    } catch (error) {
      if (error instanceof Refusal) return error.answer;
      return answerFailure(500, "InternalError", `Internal error occurred: ${error}`, {});
    }
  }

  async function credentialsFor(identity: Identity): Promise<Credentials> {
    if (identity.kind === "anonymous") return {};
    if (identity.kind !== "serviceAccount")
      return { client: await issueClientCertificate(authority, identity) };
    const { namespace, name, mayRead, boundTo, expired = false } = identity;
    accounts.apply(namespace, name, mayRead);
    const binding = boundTo === undefined ? {} : { boundTo: nodes.get(boundTo) };
    return { token: accounts.issueToken(namespace, name, { ...binding, expired }) };
  }

  await door.open();
  return {
    ...server,
    urls,
    requests,
    connections: door.connections,
    fault: door.fault,
    createNode: async (node) => nodes.create(describeNode(node)),
    getNode: async (name) => nodes.find(name),
    deleteNode: async (name) => void nodes.remove(name),
    setAnnotation: async (name, key, value) =>
      void nodes.patch(name, { metadata: { annotations: { [key]: value } } }),
    credentialsFor,
    kubeconfigFor: async (identity, how) => formatKubeconfig(server, await credentialsFor(identity), how),
    start: door.open,
    stop: door.close,
    close: door.close,
  };
}
