import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Credentials } from "../parts/api-server.ts";
import { answerFaults, connectionFaults, type Fault } from "../parts/embedded/fault.ts";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { type Answer, send } from "../parts/https-request.ts";

const own = "/api/v1/nodes/node-a";

describe("faults of the embedded API server", () => {
  let server: EmbeddedApiServer;
  let credentials: Credentials;

  beforeAll(async () => {
    server = await startEmbeddedApiServer({ addresses: ["127.0.0.1", "127.0.0.2"] });
    await server.createNode({ name: "node-a", podCIDRs: ["10.1.0.0/24"] });
    credentials = await server.credentialsFor({ kind: "kubelet", node: "node-a" });
  });
  afterAll(() => server?.close());
  beforeEach(async () => {
    await server.fault(null);
    server.requests.length = 0;
  });

  const ask = (path = own): Promise<Answer> => send({ ...server, credentials }, { path });
  const askWith = async (fault: Fault): Promise<Answer> => {
    await server.fault(fault);
    return ask();
  };

  it.each([
    ["refused", "ECONNREFUSED"],
    ["noTls", "EPROTO"],
    ["foreignCertificate", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    ["expiredCertificate", "CERT_HAS_EXPIRED"],
  ] as const)("%s: %s", async (fault, code) => {
    await expect(askWith(fault)).rejects.toMatchObject({ code });
    expect(server.requests).toEqual([]);
  });

  it("blackHole: a connection on which nothing is said", async () => {
    await server.fault("blackHole");
    const before = server.connections();
    expect(await nothingWithin(500, ask())).toBe(true);
    expect(server.connections()).toBe(before + 1);
    expect(server.requests).toEqual([]);
  });

  it("silent: a request that is never answered", async () => {
    await server.fault("silent");
    expect(await nothingWithin(500, ask())).toBe(true);
    expect(server.requests).toEqual([{ method: "GET", path: own, user: "system:node:node-a" }]);
  });

  it("slowBytes: the right answer, too slowly", async () => {
    await server.fault("slowBytes");
    expect(await nothingWithin(1000, ask())).toBe(true);
  });

  it.each(["hangUp", "truncated"] as const)("%s: ECONNRESET", async (fault) => {
    await expect(askWith(fault)).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  it.each([
    ["status401", 401, "application/json", '"reason":"Unauthorized"'],
    ["status403", 403, "application/json", '"reason":"Forbidden"'],
    ["status404Html", 404, "text/html", "<h1>404 Not Found</h1>"],
    ["status409", 409, "application/json", '"reason":"Conflict"'],
    ["status429", 429, "text/plain; charset=utf-8", "Too many requests"],
    ["status500", 500, "application/json", '"reason":"InternalError"'],
    ["status503", 503, "text/html", "Unavailable"],
    ["html", 200, "text/html", "<h1>Please log in</h1>"],
    ["garbage", 200, "application/json", "\ufffd"],
    ["empty", 200, "application/json", ""],
    ["wrongKind", 200, "application/json", '"kind":"Pod"'],
    ["redirect", 307, undefined, ""],
  ] as const)("%s: %i, %s", async (fault, status, type, words) => {
    const answer = await askWith(fault);
    expect(answer.status).toBe(status);
    expect(answer.headers["content-type"]).toBe(type);
    expect(answer.text).toContain(words);
    if (fault === "garbage" || fault === "empty") expect(answer.json).toBeUndefined();
    if (fault === "status429") expect(answer.headers["retry-after"]).toBe("1");
    if (fault === "redirect") expect(answer.headers.location).toBe(`/redirected${own}`);
  });

  it("oversized: 100 MB", async () => {
    const { text, status } = await askWith("oversized");
    expect(status).toBe(200);
    expect(text.length).toBeGreaterThanOrEqual(100 * 1024 * 1024);
    expect(text.slice(0, 14)).toBe('{"kind":"Node"');
  });

  it("expiredContinue: 410 for every page but the first", async () => {
    const page = "/api/v1/nodes?fieldSelector=metadata.name%3Dnode-a&limit=1";
    expect((await askWith("expiredContinue")).status).toBe(200);
    expect((await ask(page)).status).toBe(200);
    expect(await ask(`${page}&continue=x`)).toMatchObject({ status: 410, json: { reason: "Expired" } });
  });

  it.each([...connectionFaults, ...answerFaults])("%s is over when it is taken away", async (fault) => {
    await server.fault(fault);
    await server.fault(null);
    expect(await ask()).toMatchObject({ status: 200, json: { metadata: { name: "node-a" } } });
  });

  it("ends the connections that are open when a fault comes", async () => {
    const { hostname, port } = new URL(server.url);
    const socket = connect({ host: hostname, port: Number(port) });
    await new Promise((resolve) => socket.once("connect", resolve));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => {});
    await server.fault("html");
    await closed;
    expect(socket.destroyed).toBe(true);
  });

  it("stays through a stop and a start", async () => {
    await server.fault("status503");
    await server.stop();
    await expect(ask()).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await server.start();
    expect((await ask()).status).toBe(503);
  });

  it("answers on every address with the same state", async () => {
    expect(server.urls).toHaveLength(2);
    for (const url of server.urls) {
      expect((await send({ ...server, url, credentials }, { path: own })).status).toBe(200);
    }
    expect(server.requests).toHaveLength(2);
  });
});

async function nothingWithin(milliseconds: number, asking: Promise<unknown>): Promise<boolean> {
  const answered = asking.then(
    () => false,
    () => false,
  );
  return Promise.race([answered, sleep(milliseconds, true)]);
}
