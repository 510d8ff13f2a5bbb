import type { IncomingMessage, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Connection } from "../../src/kube/connection.ts";
import { type Authority, createAuthority, type Issued } from "../parts/certificates.ts";
import type { Step } from "./program.ts";
import { type KubeProcess, runtimes, startKube } from "./runtimes.ts";
import { type Listening, startSecureServer } from "./strange-servers.ts";

type Seen = {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
  body: string;
  subject: unknown;
};
type Outcome = { value?: unknown; error?: { message: string; status?: number; reason?: string } };

let authority: Authority;
let issued: Issued;
let server: Listening;
let seen: Seen[] = [];
let sockets = new Set<unknown>();
/** How the server answers; what it is given is the number of the request. */
let reply: (seen: Seen, response: ServerResponse, number: number) => void;

const json = (response: ServerResponse, status: number, body: object, headers = {}) =>
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
const failure = (code: number, reason: string, message: string) => ({
  kind: "Status",
  code,
  reason,
  message,
  status: "Failure",
});
const good = (response: ServerResponse) => json(response, 200, { kind: "Node" });

beforeAll(async () => {
  authority = await createAuthority("test");
  issued = await authority.issue({ commonName: "jane", usages: ["client"] });
  server = await startSecureServer(authority, (request, response) => {
    sockets.add(request.socket);
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const subject = (request.socket as TLSSocket).getPeerCertificate().subject?.CN;
      seen.push({ method, url, headers, body, subject });
      reply(seen.at(-1) as Seen, response, seen.length);
    });
  });
});
afterAll(() => server.close());

describe.each(runtimes)("the client under %s", (runtime) => {
  let kube: KubeProcess;
  beforeAll(() => {
    kube = startKube(runtime);
  });
  afterAll(() => kube.stop());
  beforeEach(() => {
    seen = [];
    sockets = new Set();
    reply = (_, response) => good(response);
  });

  const connection = (changes: Partial<Connection> = {}): Connection => ({
    server: `https://127.0.0.1:${server.port}`,
    ca: authority.certificate,
    insecure: false,
    origin: "a test",
    ...changes,
  });

  async function use(
    steps: Step[],
    options: object = {},
    changes: Partial<Connection> = {},
    atOnce = 1,
  ): Promise<Outcome[]> {
    const { value, error } = await kube.call("useClient", connection(changes), options, steps, atOnce);
    if (error) throw new Error(error.message);
    return value as Outcome[];
  }
  const errorOf = async (step: Step, options = {}, changes: Partial<Connection> = {}) =>
    (await use([step], options, changes))[0]?.error ?? { message: "there was none" };

  it("sends each verb with its body, and patches of each kind", async () => {
    const body = { metadata: { name: "ä" } };
    await use([
      { create: "/a", body },
      { replace: "/b", body },
      { patch: "/c", body, type: "merge" },
      { patch: "/d", body, type: "json" },
      { patch: "/e", body, type: "apply" },
      { remove: "/f" },
      { get: "/g" },
    ]);
    const text = JSON.stringify(body);
    expect(
      seen.map(({ method, url, headers, body }) => [method, url, headers["content-type"], body]),
    ).toEqual([
      ["POST", "/a", "application/json", text],
      ["PUT", "/b", "application/json", text],
      ["PATCH", "/c", "application/merge-patch+json", text],
      ["PATCH", "/d", "application/json-patch+json", text],
      ["PATCH", "/e", "application/apply-patch+yaml", text],
      ["DELETE", "/f", undefined, ""],
      ["GET", "/g", undefined, ""],
    ]);
  });

  it("shows token, certificate and whom it acts for", async () => {
    const impersonation = { user: "joe", uid: "7", group: "devs" };
    await use([{ get: "/" }], { impersonation }, { token: "abc", cert: issued.certificate, key: issued.key });
    expect(seen[0]).toMatchObject({
      subject: "jane",
      headers: {
        authorization: "Bearer abc",
        "impersonate-user": "joe",
        "impersonate-uid": "7",
        "impersonate-group": "devs",
      },
    });
  });

  it("makes hundreds of requests on a few connections", async () => {
    const steps = Array.from({ length: 300 }, (_, i): Step => ({ patch: `/${i}`, body: {}, type: "merge" }));
    const outcomes = await use(steps, {}, { cert: issued.certificate, key: issued.key }, 8);
    expect(outcomes.filter(({ value }) => value)).toHaveLength(300);
    expect(seen).toHaveLength(300);
    expect(sockets.size).toBeLessThanOrEqual(16);
  });

  it("asks again after 429 and 5xx", async () => {
    const statuses = [429, 503, 500, 200];
    reply = (_, response, number) =>
      number < 4
        ? json(response, statuses[number - 1] as number, failure(0, "Busy", "busy"), { "retry-after": "0" })
        : good(response);
    expect(await use([{ get: "/a" }])).toEqual([{ value: { kind: "Node" } }]);
    expect(seen).toHaveLength(4);
  });

  it("waits for as long as Retry-After says", async () => {
    const times: number[] = [];
    reply = (_, response, number) => {
      times.push(Date.now());
      if (number === 1) json(response, 429, failure(429, "TooManyRequests", "wait"), { "retry-after": "1" });
      else good(response);
    };
    await use([{ get: "/a" }]);
    expect((times[1] as number) - (times[0] as number)).toBeGreaterThanOrEqual(1000);
  });

  it("does not repeat a POST that may have been done, but one that was refused for want of time", async () => {
    reply = (_, response) => json(response, 503, failure(503, "ServiceUnavailable", "gone"));
    expect((await errorOf({ create: "/a", body: {} })).status).toBe(503);
    expect(seen).toHaveLength(1);
    reply = (_, response, number) =>
      number === 2 ? json(response, 429, {}, { "retry-after": "0" }) : good(response);
    expect((await use([{ create: "/a", body: {} }]))[0]?.value).toBeDefined();
  });

  it("asks again where a connection that was kept open had been closed", async () => {
    reply = (_, response, number) => (number === 2 ? response.socket?.destroy() : good(response));
    expect(await use([{ get: "/1" }, { get: "/2" }])).toEqual([
      { value: { kind: "Node" } },
      { value: { kind: "Node" } },
    ]);
  });

  describe("lists", () => {
    const item = (name: string) => ({ metadata: { name } });
    const page = (names: string[], next?: string) => ({
      items: names.map(item),
      metadata: { continue: next ?? "" },
    });
    const expired = (token?: string) => ({
      ...failure(410, "Expired", "too old"),
      metadata: token ? { continue: token } : {},
    });
    const continued = (url: string) => new URL(url, "https://a").searchParams.get("continue");

    it("page by page", async () => {
      reply = ({ url }, response) =>
        json(response, 200, continued(url) === "x&y" ? page(["c"]) : page(["a", "b"], "x&y"));
      expect(await use([{ list: "/nodes", pageSize: 2 }])).toEqual([{ value: ["a", "b", "c"] }]);
      expect(seen.map(({ url }) => url)).toEqual(["/nodes?limit=2", "/nodes?limit=2&continue=x%26y"]);
    });

    it("go on with the token that comes with 410", async () => {
      reply = ({ url }, response) => {
        if (continued(url) === "old") json(response, 410, expired("new"));
        else json(response, 200, continued(url) === "new" ? page(["b"]) : page(["a"], "old"));
      };
      expect(await use([{ list: "/nodes" }])).toEqual([{ value: ["a", "b"] }]);
    });

    it("begin anew where no token comes with 410, without anything twice", async () => {
      let begun = 0;
      reply = ({ url }, response) => {
        if (continued(url) === null) json(response, 200, page(["a"], `from ${++begun}`));
        else if (continued(url) === "from 1") json(response, 410, expired());
        else json(response, 200, page(["b"]));
      };
      expect(await use([{ list: "/nodes" }])).toEqual([{ value: ["a", "b"] }]);
    });

    it("give up in the end where every token is too old", async () => {
      reply = ({ url }, response) =>
        continued(url) === null ? json(response, 200, page(["a"], "x")) : json(response, 410, expired());
      expect(await errorOf({ list: "/nodes" })).toEqual({
        status: 410,
        reason: "Expired",
        message: "too old",
      });
    });

    it("say so where the answer is none", async () => {
      reply = (_, response) => json(response, 200, { items: "a" });
      expect((await errorOf({ list: "/nodes" })).message).toMatch(/no list/);
    });
  });

  describe("says in a sentence", () => {
    const forbidden =
      'nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope';

    it.each([
      [
        403,
        failure(403, "Forbidden", forbidden),
        `${forbidden}: ask for this right (RBAC), or use another context or user (this is a test)`,
      ],
      [404, failure(404, "NotFound", 'nodes "a" not found'), 'nodes "a" not found'],
      [409, failure(409, "Conflict", "the object has been modified"), "the object has been modified"],
      [422, failure(422, "Invalid", "spec: Invalid value"), "spec: Invalid value"],
      [
        401,
        failure(401, "Unauthorized", "Unauthorized"),
        /does not accept the credentials of a test \(401\)/,
      ],
      [404, { message: "<html>" }, /does not serve this path \(404\): is it a Kubernetes API server\?/],
    ])("%i", async (status, body, words) => {
      reply = (_, response) => json(response, status, body);
      const error = await errorOf({ get: "/api/v1/nodes" });
      expect(error.message).toEqual(typeof words === "string" ? words : expect.stringMatching(words));
      expect(error.status).toBe(status);
      expect(seen).toHaveLength(1);
    });

    it("that nobody listens", async () => {
      const { message } = await errorOf({ get: "/" }, {}, { server: "https://127.0.0.1:1" });
      expect(message).toBe(
        "the API server https://127.0.0.1:1 refused the connection: is it up, and is a test the right one?",
      );
    });

    it("that the server is another one", async () => {
      const other = await createAuthority("other");
      expect((await errorOf({ get: "/" }, {}, { ca: other.certificate })).message).toMatch(
        /unknown authority/,
      );
    });

    it("that there is no answer in time", async () => {
      reply = () => {};
      const { message } = await errorOf({ get: "/" }, { requestTimeoutMs: 300 });
      expect(message).toMatch(/did not answer within 0\.3 s: give it more by --request-timeout$/);
    });

    it.each([200, 503])("that a stream of status %i broke", async (status) => {
      reply = (_, response) => {
        response.writeHead(status, { "content-type": "application/json" }).write("{}\n");
        setTimeout(() => response.destroy(), 50);
      };
      const { error } = await kube.call("readStream", connection(), "/api/v1/nodes?watch=true");
      expect(error?.message).toBe(`the API server ${connection().server} closed the connection`);
    });

    it("never a token", async () => {
      reply = (_, response) => json(response, 403, failure(403, "Forbidden", "c4n4ry is forbidden"));
      expect(JSON.stringify(await errorOf({ get: "/" }, {}, { token: "c4n4ry" }))).not.toContain("c4n4ry");
    });
  });
});
