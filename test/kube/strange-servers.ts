import { createServer as createPlainServer, type RequestListener } from "node:http";
import { createServer, type ServerOptions } from "node:https";
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from "node:net";
import type { Authority, CertificateRequest } from "../parts/certificates.ts";

/** Something that listens; `close` ends its connections too. */
export type Listening = { port: number; close(): void };

async function listen(server: Server, host = "127.0.0.1"): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket.on("close", () => sockets.delete(socket)).on("error", () => {}));
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (server.address() as AddressInfo).port, close };
}

type SecureOptions = {
  host?: string;
  certificate?: Partial<CertificateRequest>;
  tls?: ServerOptions;
  chain?: string;
};

/** HTTPS with a certificate for 127.0.0.1, ::1 and "kubernetes", unless it is asked for another. */
export async function startSecureServer(
  authority: Authority,
  handle: RequestListener,
  { host, certificate, tls }: SecureOptions = {},
): Promise<Listening> {
  const names = { ipAddresses: ["127.0.0.1", "::1"], dnsNames: ["kubernetes"] };
  const issued = await authority.issue({
    commonName: "server",
    ...names,
    usages: ["server"],
    ...certificate,
  });
  const own = { ca: authority.certificate, cert: issued.certificate, key: issued.key };
  const server = createServer({ ...own, requestCert: true, rejectUnauthorized: false, ...tls }, handle);
  server.on("tlsClientError", () => {});
  return listen(server, host);
}

export function startPlainServer(handle: RequestListener): Promise<Listening> {
  return listen(createPlainServer(handle));
}

/** TCP alone: `talk` is called for each connection. */
export function startTcpServer(talk: (socket: Socket) => void): Promise<Listening> {
  return listen(createTcpServer(talk));
}

/** An HTTP proxy for CONNECT; `asked` has "HOST:PORT CREDENTIALS" of each call. With `password`, others are refused; with
 * `authority`, it speaks TLS itself. */
export async function startProxy(
  password?: string,
  authority?: Authority,
): Promise<Listening & { asked: string[] }> {
  const asked: string[] = [];
  const refuse: RequestListener = (_, response) => response.writeHead(400).end();
  const issued = await authority?.issue({
    commonName: "proxy",
    ipAddresses: ["127.0.0.1"],
    usages: ["server"],
  });
  const server = issued
    ? createServer({ cert: issued.certificate, key: issued.key }, refuse)
    : createPlainServer(refuse);
  server.on("connect", ({ url = "", headers }, client: Socket, head) => {
    const credentials = decode(headers["proxy-authorization"]);
    asked.push(`${url} ${credentials}`.trim());
    if (password !== undefined && credentials !== password) {
      client.end("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    const target = new URL(`tcp://${url}`);
    const upstream = connect(Number(target.port), target.hostname.replace(/^\[|\]$/g, ""), () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on("error", () => client.end("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n"));
    client.on("error", () => upstream.destroy()).on("close", () => upstream.destroy());
  });
  return { ...(await listen(server)), asked };
}

function decode(header: string | undefined): string {
  return Buffer.from(header?.replace(/^Basic /, "") ?? "", "base64").toString();
}
