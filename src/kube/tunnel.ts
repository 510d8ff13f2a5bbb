import { connect as connectTcp, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import type { Connection } from "./connection.ts";

/** TLS to the API server through the HTTP proxy that the connection names. Throws errors with the codes of the runtime. */
export async function openTunnel(
  connection: Connection,
  tls: ConnectionOptions,
  patienceMs: number,
): Promise<Socket> {
  const proxy = new URL(connection.proxy as string);
  const { hostname, port } = new URL(connection.server);
  const target = `${hostname}:${port || 443}`;
  const raw = await reach(proxy, connection.ca, patienceMs);
  const user =
    proxy.username && `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  const authorization = user ? `Proxy-Authorization: Basic ${Buffer.from(user).toString("base64")}\r\n` : "";
  raw.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${authorization}\r\n`);
  const status = await readStatus(raw, patienceMs);
  if (status !== 200) throw withCode("ERR_PROXY_TUNNEL");
  const host = hostname.replace(/^\[|\]$/g, "");
  const socket = connectTls({ host, ...tls, socket: raw });
  await once(socket, "secureConnect", patienceMs);
  return socket;
}

async function reach(proxy: URL, ca: string | undefined, patienceMs: number): Promise<Socket> {
  const isTls = proxy.protocol === "https:";
  const host = proxy.hostname.replace(/^\[|\]$/g, "");
  const where = { host, port: Number(proxy.port || (isTls ? 443 : 80)) };
  const socket = isTls ? connectTls({ ...where, ...(ca !== undefined && { ca }) }) : connectTcp(where);
  await once(socket, isTls ? "secureConnect" : "connect", patienceMs);
  return socket;
}

/** The proxy says nothing after the head until we do, so one chunk ends with it. */
async function readStatus(socket: Socket, patienceMs: number): Promise<number> {
  let head = "";
  while (!head.includes("\r\n\r\n") && head.length < 65_536) {
    head += String(await once(socket, "data", patienceMs));
  }
  return Number(/^HTTP\/1\.\d (\d{3})/.exec(head)?.[1]);
}

function once(socket: Socket, event: string, patienceMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(withCode("ETIMEDOUT")), patienceMs);
    socket.once("error", fail);
    socket.once("close", () => fail(withCode("ECONNRESET")));
    socket.once(event, (value: unknown) => {
      clearTimeout(timer);
      socket.off("error", fail);
      resolve(value);
    });
  });
}

function withCode(code: string): Error {
  return Object.assign(new Error(code), { code });
}
