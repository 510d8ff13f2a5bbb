import type { IncomingMessage, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Connection } from "../../src/kube/connection.ts";
import type { Answer } from "../../src/kube/request.ts";
import { type Authority, createAuthority, type Issued } from "../parts/certificates.ts";
import { findFreePort } from "../parts/free-port.ts";
import { type KubeProcess, runtimes, startKube } from "./runtimes.ts";
import {
  type Listening,
  startPlainServer,
  startProxy,
  startSecureServer,
  startTcpServer,
} from "./strange-servers.ts";

const canary = "c4n4ry-t0k3n-of-a-kubelet";
const hour = 3_600_000;
const past = { notBefore: new Date(Date.now() - 2 * hour), notAfter: new Date(Date.now() - hour) };
const future = { notBefore: new Date(Date.now() + hour), notAfter: new Date(Date.now() + 2 * hour) };
const path = "/api/v1/nodes/node-a";

const status = (
  code: number,
  reason: string,
  message: string,
  details: object = { name: "node-a", kind: "nodes" },
) => JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", message, reason, details, code });
const json = { "content-type": "application/json" };
const jwt = (claims: object) =>
  ["{}", JSON.stringify(claims), canary].map((part) => Buffer.from(part).toString("base64url")).join(".");

/** What the server does at each path. */
const behaviours: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {
  [path]: (request, response) => {
    const socket = request.socket as TLSSocket;
    const subject = socket.getPeerCertificate?.()?.subject?.CN;
    const { authorization, accept, host } = request.headers;
    response
      .writeHead(200, json)
      .end(JSON.stringify({ authorization, accept, host, subject, sni: socket.servername }));
  },
  "/absent/node-a": (_, response) =>
    response.writeHead(404, json).end(status(404, "NotFound", `nodes "node-a" not found`)),
  "/absent-other/node-a": (_, response) =>
    response
      .writeHead(404, json)
      .end(status(404, "NotFound", `nodes "node-b" not found`, { name: "node-b" })),
  "/absent-path/node-a": (_, response) =>
    response
      .writeHead(404, json)
      .end(status(404, "NotFound", "the server could not find the requested resource", {})),
  "/absent-text/node-a": (_, response) => response.writeHead(404).end("404 page not found"),
  "/401": (_, response) => response.writeHead(401, json).end(status(401, "Unauthorized", "Unauthorized")),
  "/403": (request, response) =>
    response
      .writeHead(403, json)
      .end(
        status(
          403,
          "Forbidden",
          `nodes is forbidden\n: ${request.headers.authorization} ${"long ".repeat(100)}`,
        ),
      ),
  "/403-bare": (_, response) => response.writeHead(403).end("no"),
  "/429": (_, response) =>
    response.writeHead(429, { ...json, "retry-after": "7" }).end(status(429, "TooManyRequests", "slow down")),
  "/503": (_, response) =>
    response.writeHead(503, { "retry-after": new Date(Date.now() + 60_000).toUTCString() }).end("<html>"),
  "/409": (_, response) => response.writeHead(409, json).end(status(409, "Conflict", "conflict")),
  "/redirect": (_, response) =>
    response.writeHead(302, { location: `https://login.example/?state=${canary}` }).end(),
  "/html": (_, response) =>
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end("<html>"),
  "/cut": (_, response) => response.writeHead(200, json).end('{"kind":"Node"'),
  "/empty": (_, response) => response.writeHead(200, json).end(),
  "/no-content": (_, response) => response.writeHead(204).end(),
  "/big": (_, response) => {
    response.writeHead(200, json);
    const timer = setInterval(() => response.write("x".repeat(65536)), 1);
    response.on("close", () => clearInterval(timer));
  },
  "/bomb": (_, response) =>
    response
      .writeHead(200, { ...json, "content-encoding": "gzip" })
      .end(gzipSync(Buffer.alloc(50_000_000, 32))),
  "/truncated": (_, response) => {
    response.writeHead(200, { ...json, "content-length": 1000 }).write('{"kind":"Node"}');
    setTimeout(() => response.destroy(), 50);
  },
  "/truncated-chunks": (_, response) => {
    response.writeHead(200, json).write('{"kind":"Node"}');
    setTimeout(() => response.destroy(), 50);
  },
  "/silent": () => {},
  "/drip": (_, response) => {
    response.writeHead(200, json).write("{");
    const timer = setInterval(() => response.write(" "), 50);
    response.on("close", () => clearInterval(timer));
  },
  "/drip-header": (request) => {
    request.socket.write("HTTP/1.1 200 OK\r\nx: ");
    const timer = setInterval(() => request.socket.write("y"), 50);
    request.socket.on("close", () => clearInterval(timer));
  },
  "/hang-up": (request) => request.socket.destroy(),
};

function handle(request: IncomingMessage, response: ServerResponse): void {
  const behave = behaviours[request.url ?? ""];
  if (behave) behave(request, response);
  else response.writeHead(500).end();
}

let authority: Authority;
let foreign: Authority;
let client: Issued;
let server: Listening;
const opened: Listening[] = [];
const keep = async <T extends Listening>(listening: Promise<T>): Promise<T> => {
  const kept = await listening;
  opened.push(kept);
  return kept;
};

beforeAll(async () => {
  authority = await createAuthority("test");
  foreign = await createAuthority("test");
  client = await authority.issue({ commonName: "system:node:node-a", usages: ["client"] });
  server = await keep(startSecureServer(authority, handle));
});

afterAll(() => {
  for (const { close } of opened) close();
});

describe.each(runtimes)("get under %s", (runtime) => {
  let kube: KubeProcess;
  beforeAll(() => {
    kube = startKube(runtime);
  });
  afterAll(() => kube.stop());

  const connection = (changes: Partial<Connection> = {}, { port } = server): Connection => ({
    server: `https://127.0.0.1:${port}`,
    origin: "/etc/k/config, context prod",
    ca: authority.certificate,
    insecure: false,
    ...changes,
  });

  async function get(to: Connection, where = path, milliseconds = 5000, using = kube) {
    const {
      value,
      error,
      milliseconds: took,
    } = await using.call("get", to, where, { milliseconds, maxBytes: 100_000 });
    expect(error).toBeUndefined();
    expect(JSON.stringify(value)).not.toContain(canary);
    return { answer: value as Answer, took };
  }

  const answerOf = async (...call: Parameters<typeof get>) => (await get(...call)).answer;
  const reasonOf = async (...call: Parameters<typeof get>) => {
    const answer = await answerOf(...call);
    return answer.kind === "outage" ? answer.reason : `no outage, but ${answer.kind}`;
  };
  const bodyOf = async (...call: Parameters<typeof get>) => {
    const answer = await answerOf(...call);
    return answer.kind === "object" ? answer.body : answer;
  };
  const start = (options: Parameters<typeof startSecureServer>[2]) =>
    keep(startSecureServer(authority, handle, options));

  describe("asks", () => {
    it("with a client certificate", async () => {
      const to = connection({ cert: client.certificate, key: client.key });
      const host = `127.0.0.1:${server.port}`;
      const expected = { subject: "system:node:node-a", sni: false, host, accept: "application/json" };
      expect(await bodyOf(to)).toEqual(expected);
    });

    it("with certificate and key in one text, in either order", async () => {
      for (const both of [client.certificate + client.key, client.key + client.certificate]) {
        expect(await bodyOf(connection({ cert: both, key: both }))).toMatchObject({
          subject: "system:node:node-a",
        });
      }
    });

    it("with a token", async () => {
      const to = connection({ token: "abc.def" });
      expect(await bodyOf(to)).toMatchObject({ authorization: "Bearer abc.def" });
    });

    it("by the server name of tls-server-name", async () => {
      expect(await bodyOf(connection({ serverName: "kubernetes" }))).toMatchObject({ sni: "kubernetes" });
    });

    it("an authority among several", async () => {
      const ca = `${foreign.certificate}# the old one\n${authority.certificate}`;
      expect(await bodyOf(connection({ ca }))).toMatchObject({ accept: "application/json" });
    });

    it("an insecure server, whoever it is", async () => {
      const wrong = await start({ certificate: { ...past, ipAddresses: [] } });
      const { ca: _, ...to } = connection({ insecure: true, serverName: "somebody" }, wrong);
      expect(await bodyOf(to)).toMatchObject({ accept: "application/json" });
    });

    it("over IPv6", async () => {
      const { port } = await start({ host: "::1" });
      expect(await bodyOf(connection({ server: `https://[::1]:${port}` }))).toMatchObject({
        host: `[::1]:${port}`,
      });
    });

    it("below a prefix", async () => {
      const at = `https://127.0.0.1:${server.port}/api/v1`;
      expect(await bodyOf(connection({ server: at }), "/nodes/node-a")).toMatchObject({
        accept: "application/json",
      });
    });

    it("over plain http", async () => {
      const { port } = await keep(startPlainServer(handle));
      const to = connection({ server: `http://127.0.0.1:${port}` });
      expect(await bodyOf(to)).toMatchObject({ accept: "application/json" });
    });

    it("ten times at once", async () => {
      const to = connection({ cert: client.certificate, key: client.key, token: "abc" });
      const bodies = await Promise.all(Array.from({ length: 10 }, () => bodyOf(to)));
      for (const body of bodies)
        expect(body).toMatchObject({ subject: "system:node:node-a", authorization: "Bearer abc" });
    });
  });

  describe("through a proxy:", () => {
    const environment = (port: number) => ({
      HTTPS_PROXY: `http://127.0.0.1:${port}`,
      NO_PROXY: "127.0.0.1",
    });

    it("the connection's, with its password, verifying the server", async () => {
      const { port, asked } = await keep(startProxy("us@er:p@ss"));
      const proxy = `http://us%40er:p%40ss@127.0.0.1:${port}`;
      expect(await bodyOf(connection({ proxy, serverName: "kubernetes" }))).toMatchObject({
        sni: "kubernetes",
      });
      expect(asked).toEqual([`127.0.0.1:${server.port} us@er:p@ss`]);
      const reason = await reasonOf(connection({ proxy, ca: foreign.certificate }));
      expect(reason).toMatch(
        /^the API server .* \(through the proxy 127\.0\.0\.1:\d+\) shows a certificate of an unknown/,
      );
    });

    it("over TLS, of the same authority", async () => {
      const { port, asked } = await keep(startProxy(undefined, authority));
      expect(await bodyOf(connection({ proxy: `https://127.0.0.1:${port}` }))).toMatchObject({
        accept: "application/json",
      });
      expect(asked).toHaveLength(1);
    });

    it("the environment has no say any more, neither for a proxy nor against one", async () => {
      const { port, asked } = await keep(startProxy());
      const other = startKube(runtime, environment(port));
      const proxied = startKube(runtime, {
        HTTPS_PROXY: `http://127.0.0.1:${port}`,
        ALL_PROXY: `http://127.0.0.1:${port}`,
      });
      try {
        await bodyOf(connection(), path, 5000, proxied);
        expect(asked).toEqual([]);
        await bodyOf(connection({ proxy: `http://127.0.0.1:${port}` }), path, 5000, other);
        expect(asked).toHaveLength(1);
      } finally {
        other.stop();
        proxied.stop();
      }
    });

    it("refused by it, without saying its password", async () => {
      const { port } = await keep(startProxy("right"));
      const reason = await reasonOf(connection({ proxy: `http://user:${canary}@127.0.0.1:${port}` }));
      expect(reason).toMatch(
        /\(through the proxy 127\.0\.0\.1:\d+\) was not asked: the proxy refused to connect to it/,
      );
    });

    it("that isn't there", async () => {
      const port = await findFreePort(["127.0.0.1"]);
      expect(await reasonOf(connection({ proxy: `http://127.0.0.1:${port}` }))).toContain(
        "refused the connection",
      );
    });

    it("that says nothing", async () => {
      const { port } = await keep(startTcpServer(() => {}));
      const { answer, took } = await get(connection({ proxy: `http://127.0.0.1:${port}` }), path, 500);
      expect(answer).toMatchObject({
        kind: "outage",
        reason: expect.stringContaining("did not answer within 0.5 s"),
      });
      expect(took).toBeLessThan(5000);
    });
  });

  describe("judges", () => {
    const says = async (where: string, changes: Partial<Connection> = {}) =>
      answerOf(connection({ token: canary, ...changes }), where);

    it("absent: only where the server says so of this object", async () => {
      expect(await says("/absent/node-a")).toEqual({ kind: "absent", message: 'nodes "node-a" not found' });
      for (const where of ["/absent-other/node-a", "/absent-path/node-a", "/absent-text/node-a"]) {
        expect(await says(where)).toMatchObject({ kind: "outage", status: 404 });
      }
    });

    it("401, with what may be wrong", async () => {
      const unauthorized = "does not accept the credentials of /etc/k/config, context prod (401): ";
      expect(await reasonOf(connection(), "/401")).toContain(`${unauthorized}there are none`);
      expect(await says("/401")).toMatchObject({ kind: "outage", status: 401 });
      const expired = jwt({ exp: Math.floor(Date.parse("2024-05-06T07:08:09Z") / 1000) });
      expect(await reasonOf(connection({ token: expired }), "/401")).toContain(
        `${unauthorized}the token expired on Mon, 06 May 2024 07:08:09 GMT`,
      );
      const fresh = jwt({ exp: 2e10 });
      expect(await reasonOf(connection({ token: fresh }), "/401")).toContain(
        "they may be revoked, outdated, or another",
      );
      const old = await authority.issue({ commonName: "old", usages: ["client"], ...past });
      expect(await reasonOf(connection({ cert: old.certificate, key: old.key }), "/401")).toMatch(
        /\(401\): the client certificate expired on .* GMT \(\/etc\/k\/config, context prod\)$/,
      );
      const early = await authority.issue({ commonName: "early", usages: ["client"], ...future });
      expect(await reasonOf(connection({ cert: early.certificate, key: early.key }), "/401")).toContain(
        "valid only from",
      );
    });

    it("403, with the server's message, but no credential in it", async () => {
      const answer = await says("/403");
      expect(answer).toMatchObject({ kind: "outage", status: 403 });
      expect((answer as { reason: string }).reason).toMatch(
        /forbids it \(403\): nodes is forbidden : Bearer … (long )+.*…$/,
      );
      expect(await says("/403-bare")).toMatchObject({ reason: expect.stringContaining("by RBAC") });
    });

    it("429 and 503, with the time to wait", async () => {
      expect(await says("/429")).toMatchObject({
        reason: expect.stringContaining("has too much to do (429): slow down"),
        status: 429,
        retryAfterMs: 7000,
      });
      const { retryAfterMs } = (await says("/503")) as { retryAfterMs: number };
      expect(retryAfterMs).toBeGreaterThan(50_000);
      expect(retryAfterMs).toBeLessThanOrEqual(60_000);
    });

    it.each([
      ["/503", "failed (503)"],
      ["/409", "refused the request (409): conflict"],
      ["/redirect", "sends elsewhere (302, to login.example): is this its own address?"],
      ["/html", "answered with text/html instead of JSON (200): is it a Kubernetes API server?"],
      ["/cut", "answered with JSON that is malformed or cut off (200)"],
      ["/empty", "answered with nothing instead of JSON (200)"],
      ["/no-content", "refused the request (204)"],
      ["/big", "gave an answer (200) of more than 100000 bytes"],
      ["/truncated", "broke off its answer (200)"],
      ["/truncated-chunks", "broke off its answer (200)"],
      ["/hang-up", "closed the connection without an answer"],
    ])("%s", async (where, expected) => {
      const answer = await says(where);
      expect(answer).toMatchObject({ kind: "outage", reason: expect.stringContaining(expected) });
    });

    it("a compressed flood", async () => {
      expect(await says("/bomb")).toMatchObject({ kind: "outage", status: 200 });
    });
  });

  describe("ends in time", () => {
    it.each([
      ["/silent", "did not answer within 0.5 s"],
      ["/drip-header", "did not answer within 0.5 s"],
      ["/drip", "began to answer (200), but did not come to an end within 0.5 s"],
    ])("%s", async (where, expected) => {
      const { answer, took } = await get(connection(), where, 500);
      expect(answer).toMatchObject({ kind: "outage", reason: expect.stringContaining(expected) });
      expect(took).toBeGreaterThanOrEqual(490);
      expect(took).toBeLessThan(5000);
    });

    it("where not even TLS begins", async () => {
      const { answer, took } = await get(connection({}, await keep(startTcpServer(() => {}))), path, 500);
      expect(answer).toMatchObject({
        kind: "outage",
        reason: expect.stringContaining("did not answer within 0.5 s"),
      });
      expect(took).toBeLessThan(5000);
    });

    it("where no time is left", async () => {
      expect(await reasonOf(connection(), path, 0)).toContain("was not asked: no time was left");
    });
  });

  describe("names what is wrong with the connection:", () => {
    const secret = "-----BEGIN PRIVATE KEY-----\nc4n4ry\n-----END PRIVATE KEY-----\n";

    it("refused", async () => {
      const port = await findFreePort(["127.0.0.1"]);
      expect(await reasonOf(connection({ server: `https://127.0.0.1:${port}` }))).toBe(
        `the API server https://127.0.0.1:${port} refused the connection`,
      );
    });

    it("an unknown name", async () => {
      const reason = await reasonOf(connection({ server: "https://no-such-host.invalid:6443" }));
      expect(reason).toMatch(/can't be found: its name has no address \(E(NOTFOUND|AI_AGAIN)\)/);
    });

    it("another authority of the same name", async () => {
      const reason = await reasonOf(connection({ ca: foreign.certificate }));
      expect(reason).toContain(
        "the certificate-authority of /etc/k/config, context prod is another cluster's, or outdated",
      );
    });

    it("no authority", async () => {
      const { ca: _, ...to } = connection();
      expect(await reasonOf(to)).toContain(
        "/etc/k/config, context prod names no certificate-authority, and the system",
      );
    });

    it("another name", async () => {
      const reason = await reasonOf(
        connection({}, await start({ certificate: { ipAddresses: ["10.0.0.1"] } })),
      );
      expect(reason).toContain(
        "shows a certificate that isn't for 127.0.0.1: set tls-server-name to a name in it",
      );
      expect(await reasonOf(connection({ serverName: "somebody" }))).toContain("isn't for somebody");
    });

    it("an expired and a future certificate", async () => {
      expect(await reasonOf(connection({}, await start({ certificate: past })))).toContain(
        "has expired: renew it",
      );
      expect(await reasonOf(connection({}, await start({ certificate: future })))).toContain(
        "isn't valid yet",
      );
    });

    it("a malformed authority", async () => {
      const ca = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
      expect(await reasonOf(connection({ ca }))).toContain(
        "certificate-authority of /etc/k/config, context prod",
      );
    });

    it("a malformed key and certificate, and those that don't belong together", async () => {
      const other = await authority.issue({ commonName: "other", usages: ["client"] });
      const { certificate: cert, key } = client;
      expect(await reasonOf(connection({ cert, key: secret }))).toContain("the client key is malformed");
      expect(await reasonOf(connection({ cert, key: other.key }))).toContain(
        "is not that of the client certificate",
      );
      const cut = cert.slice(0, 200) + cert.slice(-30);
      expect(await reasonOf(connection({ cert: cut, key }))).toContain("the client certificate is malformed");
    });

    it("a client certificate that the server ends the connection for", async () => {
      const strict = await start({ tls: { rejectUnauthorized: true } });
      const old = await authority.issue({ commonName: "old", usages: ["client"], ...past });
      const reason = await reasonOf(connection({ cert: old.certificate, key: old.key }, strict));
      expect(reason).toContain("closed the connection without an answer: the client certificate expired on");
    });

    it("no TLS, and an old one", async () => {
      const plain = await keep(startPlainServer(handle));
      expect(await reasonOf(connection({}, plain))).toContain("does not agree on TLS");
      const old = await start({
        tls: { maxVersion: "TLSv1.1", minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" },
      });
      expect(await reasonOf(connection({}, old))).toContain("does not agree on TLS");
    });

    it("a connection that ends before TLS", async () => {
      const closing = await keep(startTcpServer((socket) => socket.destroy()));
      expect(await reasonOf(connection({}, closing))).toContain("closed the connection without an answer");
    });
  });
});
