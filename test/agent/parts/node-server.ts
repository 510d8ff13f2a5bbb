import {
  createSecureServer,
  type Http2SecureServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer as createHttps } from "node:https";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { type Authority, createAuthority } from "../../parts/certificates.ts";
import { formatKubeconfig } from "../../parts/kubeconfig.ts";

/** One Node over HTTP/2, for what a real API server can't be brought to do at a moment of the test's choice. */
export type NodeServer = {
  url: string;
  /** Paths in the order of their coming, with their queries. */
  requests: string[];
  /** The only token that counts. */
  token: string;
  node: Record<string, unknown>;
  /** An event of the watch that stands; a text is sent as it is. */
  send(type: string, object: unknown): void;
  endWatch(): void;
  goAway(): void;
  kubeconfig(user?: { tokenFile?: string }): Promise<string>;
  /** The same port with certificates of a new authority. */
  replaceAuthority(): Promise<void>;
};

export async function startNodeServer(node: Record<string, unknown>): Promise<NodeServer> {
  let authority = await createAuthority("first");
  let server = await open(authority, 0);
  const { port } = server.address() as AddressInfo;
  const sessions = new Set<ServerHttp2Session>();
  let watch: ServerHttp2Stream | undefined;
  let version = 100;

  async function open(by: Authority, at: number): Promise<Http2SecureServer> {
    const { certificate, key } = await by.issue({
      commonName: "server",
      ipAddresses: ["127.0.0.1"],
      usages: ["server"],
    });
    const opened = createSecureServer({ cert: certificate, key, allowHTTP1: false });
    opened.on("session", (session) => {
      sessions.add(session);
      session.on("error", () => {});
      session.on("close", () => sessions.delete(session));
    });
    opened.on("stream", (stream, headers) => {
      stream.on("error", () => {});
      const path = String(headers[":path"]);
      self.requests.push(path);
      if (headers["authorization"] !== `Bearer ${self.token}`) {
        stream.respond({ ":status": 401, "content-type": "application/json" });
        return stream.end(JSON.stringify({ kind: "Status", code: 401, message: "Unauthorized" }));
      }
      stream.respond({ ":status": 200, "content-type": "application/json" });
      if (path.includes("watch=true")) watch = stream;
      else
        stream.end(
          JSON.stringify({
            kind: "NodeList",
            metadata: { resourceVersion: String(version) },
            items: [self.node],
          }),
        );
    });
    await new Promise<void>((resolve) => opened.listen(at, "127.0.0.1", () => resolve()));
    return opened;
  }
  const close = async () => {
    for (const session of sessions) session.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  onTestFinished(close);

  const self: NodeServer = {
    url: `https://127.0.0.1:${port}`,
    requests: [],
    token: "one",
    node,
    send: (type, object) => {
      version++;
      const metadata = (object as { metadata?: object }).metadata;
      const whole = { ...(object as object), metadata: { ...metadata, resourceVersion: String(version) } };
      watch?.write(`${JSON.stringify({ type, object: type === "ERROR" ? object : whole })}\n`);
    },
    endWatch: () => void watch?.end(),
    goAway: () => {
      for (const session of sessions) session.goaway();
    },
    kubeconfig: async (user = {}) => {
      const text = await formatKubeconfig(
        { url: self.url, authority: authority.certificate },
        { token: self.token },
      );
      return user.tokenFile === undefined ? text : text.replace(/token: .*/, `tokenFile: ${user.tokenFile}`);
    },
    replaceAuthority: async () => {
      await close();
      authority = await createAuthority("second");
      server = await open(authority, port);
    },
  };
  return self;
}

/** An HTTPS server that knows HTTP/1.1 alone. */
export async function startOldServer(): Promise<{ kubeconfig: string }> {
  const authority = await createAuthority("old");
  const { certificate, key } = await authority.issue({
    commonName: "server",
    ipAddresses: ["127.0.0.1"],
    usages: ["server"],
  });
  const server = createHttps({ cert: certificate, key }, (_, response) => response.end("{}"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { kubeconfig: await formatKubeconfig({ url, authority: authority.certificate }, { token: "t" }) };
}
