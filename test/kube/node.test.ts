import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Connection, readConnection } from "../../src/kube/connection.ts";
import type { NodeFacts } from "../../src/kube/node.ts";
import type { ApiServer, Identity } from "../parts/api-server.ts";
import { createAuthority } from "../parts/certificates.ts";
import type { Fault } from "../parts/embedded/fault.ts";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { makeFolder } from "./kubeconfig-files.ts";
import { type KubeProcess, runtimes, startKube } from "./runtimes.ts";
import { type Listening, startSecureServer } from "./strange-servers.ts";

const folder = makeFolder();
afterAll(() => folder.remove());

const noReal = reasonForNoRealApiServer();
const servers = [
  { name: "embedded", start: startEmbeddedApiServer, lack: whatLacks({}) },
  {
    name: "real",
    start: startRealApiServer,
    lack: whatLacks(noReal ? { missing: `a real one: ${noReal}` } : {}),
  },
];
const account = { kind: "serviceAccount", namespace: "kube-system", name: "kube-node" } as const;
const limits = { milliseconds: 10_000, maxBytes: 10 << 20 };

for (const { name, start, lack } of servers) {
  describe.skipIf(lack.some)(`nodes of the ${name} API server${lack.words}`, () => {
    let server: ApiServer;

    beforeAll(async () => {
      server = await start();
      const podCIDRs = ["10.1.0.0/24", "fd00:1::/64"];
      await server.createNode({
        name: "node-a",
        podCIDRs,
        annotations: { "example.org/range": "10.9.0.0/24" },
        machineID: "aaa",
      });
      await server.createNode({ name: "node-b", machineID: "bbb" });
      await server.createNode({ name: "node-c" });
    });
    afterAll(() => server?.close());

    describe.each(runtimes)("under %s", (runtime) => {
      let kube: KubeProcess;
      beforeAll(() => {
        kube = startKube(runtime);
      });
      afterAll(() => kube.stop());

      let written = 0;
      async function connect(identity: Identity, how: "inline" | "files" = "inline"): Promise<Connection> {
        const options = how === "files" ? { folder: folder.path } : {};
        const text = await server.kubeconfigFor(identity, options);
        const kubeconfig = folder.write(`${name}-${runtime}-${written++}`, text);
        const { value, error } = await kube.call("readConnection", { kubeconfig, env: {} });
        expect(error).toBeUndefined();
        return value as Connection;
      }
      const getNode = async (identity: Identity, node: string) =>
        (await kube.call("getNode", await connect(identity), node, limits)).value;

      it("gets a kubelet its own Node, by certificate and key in one file", async () => {
        const connection = await connect({ kind: "kubelet", node: "node-a" }, "files");
        expect((await kube.call("nodeNameOf", connection)).value).toBe("node-a");
        const { value } = await kube.call("getNode", connection, "node-a", limits);
        expect(value).toEqual({
          kind: "node",
          node: {
            name: "node-a",
            uid: (await server.getNode("node-a"))?.metadata.uid,
            machineID: "aaa",
            podCIDRs: ["10.1.0.0/24", "fd00:1::/64"],
            annotations: { "example.org/range": "10.9.0.0/24" },
          },
        });
      });

      it("tells a Node that isn't there, or can't be, from one that may not be seen", async () => {
        const absent = { kind: "absent", message: 'nodes "node-x" not found' };
        expect(await getNode({ kind: "admin" }, "node-x")).toEqual(absent);
        const noName = { kind: "absent", message: expect.stringContaining("no Node can have the name") };
        for (const node of ["", ".", "..", "../pods", "a?b", "A"])
          expect(await getNode({ kind: "admin" }, node)).toEqual(noName);
        const foreign = await getNode({ kind: "kubelet", node: "node-a" }, "node-b");
        expect(foreign).toMatchObject({
          kind: "outage",
          status: 403,
          reason: expect.stringContaining("forbids it (403)"),
        });
        expect(await getNode({ kind: "anonymous" }, "node-a")).toMatchObject({ kind: "outage" });
        const expired = await getNode({ kind: "kubelet", node: "node-a", expired: true }, "node-a");
        expect(expired).toMatchObject({
          kind: "outage",
          status: 401,
          reason: expect.stringContaining("expired on"),
        });
      });

      it("gets a ServiceAccount the Node that its token is bound to", async () => {
        const identity = { ...account, mayRead: ["node-b"], boundTo: "node-b" };
        const connection = await connect(identity, "files");
        expect((await kube.call("nodeNameOf", connection)).value).toBe("node-b");
        const { value } = await kube.call("getNode", connection, "node-b", limits);
        expect(value).toMatchObject({
          kind: "node",
          node: { name: "node-b", machineID: "bbb", podCIDRs: [] },
        });
      });

      it("finds Nodes by machine-id, and none by an empty one", async () => {
        const connection = await connect({ ...account, mayRead: "all" });
        expect((await kube.call("nodeNameOf", connection)).value).toBeUndefined();
        const names = async (ids: string[]) => {
          const { value } = await kube.call("listNodesByMachineID", connection, ids, limits);
          return (value as { nodes: NodeFacts[] }).nodes.map((node) => node.name);
        };
        expect(await names(["aaa"])).toEqual(["node-a"]);
        expect(await names(["bbb", "aaa"])).toEqual(["node-a", "node-b"]);
        expect(await names(["", "zzz"])).toEqual([]);
      });

      it("says why a LIST fails", async () => {
        const connection = await connect({ kind: "kubelet", node: "node-a" });
        const { value } = await kube.call("listNodesByMachineID", connection, ["aaa"], limits);
        const refused = {
          kind: "outage",
          status: 403,
          reason: expect.stringContaining("nodes is forbidden"),
        };
        // The embedded server and an API server before 1.32 differ in their words only.
        expect(value).toMatchObject(refused);
      });
    });
  });
}

describe("the API server's faults", () => {
  let server: EmbeddedApiServer;
  let connection: Connection;
  const reasons: Partial<Record<Fault, RegExp>> = {
    refused: /refused the connection/,
    blackHole: /did not answer within 1\.5 s/,
    noTls: /does not agree on TLS/,
    foreignCertificate: /unknown authority/,
    expiredCertificate: /has expired/,
    silent: /did not answer within 1\.5 s/,
    hangUp: /closed the connection without an answer/,
    slowBytes: /began to answer \(200\), but did not come to an end within 1\.5 s/,
    status401: /does not accept the credentials of .* \(401\)/,
    status403: /forbids it \(403\): nodes is forbidden: not yet ready/,
    status404Html: /does not serve this path \(404\): is it a Kubernetes API server/,
    status409: /refused the request \(409\)/,
    status429: /has too much to do \(429\)/,
    status500: /failed \(500\): etcdserver: request timed out/,
    status503: /failed \(503\)/,
    html: /answered with text\/html/,
    truncated: /broke off its answer \(200\)/,
    oversized: /more than 200000 bytes/,
    redirect: /sends elsewhere \(307, to 127\.0\.0\.1:\d+\)/,
    garbage: /JSON that is malformed/,
    empty: /answered with nothing/,
    wrongKind: /answered with rubbish/,
  };

  beforeAll(async () => {
    server = await startEmbeddedApiServer();
    await server.createNode({ name: "node-a", machineID: "aaa" });
    const text = await server.kubeconfigFor({ kind: "kubelet", node: "node-a" });
    connection = await readConnection({ kubeconfig: folder.write("faults", text), env: {} });
  });
  afterAll(() => server.close());

  describe.each(runtimes)("under %s", (runtime) => {
    let kube: KubeProcess;
    beforeAll(() => {
      kube = startKube(runtime);
    });
    afterAll(async () => {
      kube.stop();
      await server.fault(null);
    });

    it.each(Object.entries(reasons))(
      "%s is an outage, of GET and of LIST, in time",
      async (fault, reason) => {
        await server.fault(null);
        const healthy = await kube.call("getNode", connection, "node-a", limits);
        expect(healthy.value).toMatchObject({ kind: "node" });
        await server.fault(fault as Fault);
        const short = { milliseconds: 1500, maxBytes: 200_000 };
        const [get, list] = await Promise.all([
          kube.call("getNode", connection, "node-a", short),
          kube.call("listNodesByMachineID", connection, ["aaa"], short),
        ]);
        expect(get.value).toMatchObject({ kind: "outage", reason: expect.stringMatching(reason) });
        expect(list.value).toMatchObject({ kind: "outage" });
        expect(Math.max(get.milliseconds, list.milliseconds)).toBeLessThan(5000);
      },
    );
  });
});

describe.each(runtimes)("documents under %s", (runtime) => {
  const node = (changes: object = {}, metadata: object = {}) => ({
    kind: "Node",
    metadata: { name: "node-a", uid: "u1", ...metadata },
    spec: { podCIDR: "10.0.0.0/24", podCIDRs: ["10.0.0.0/24", "fd00::/64"] },
    status: { nodeInfo: { machineID: "m1" } },
    ...changes,
  });
  let kube: KubeProcess;
  let listening: Listening;
  let connection: Connection;
  let document: unknown;
  const asked: string[] = [];

  beforeAll(async () => {
    kube = startKube(runtime);
    const authority = await createAuthority("test");
    listening = await startSecureServer(authority, (request, response) => {
      const url = request.url ?? "";
      asked.push(url);
      const answer =
        typeof document === "function" ? document(new URL(url, "https://a").searchParams) : document;
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
    });
    const server = `https://127.0.0.1:${listening.port}`;
    connection = { server, origin: "test", ca: authority.certificate, insecure: false };
  });
  afterAll(() => {
    kube.stop();
    listening.close();
  });

  const getNode = async () => (await kube.call("getNode", connection, "node-a", limits)).value;
  const list = async () => (await kube.call("listNodesByMachineID", connection, ["m1"], limits)).value;

  it.each([
    ["podCIDR alone", node({ spec: { podCIDR: "10.0.0.0/24" } }), { podCIDRs: ["10.0.0.0/24"] }],
    ["no spec", node({ spec: null }), { podCIDRs: [] }],
    ["no status", node({ status: undefined }), { machineID: "" }],
    ["annotations null", node({}, { annotations: null }), { annotations: {} }],
    ["annotations", node({}, { annotations: { a: "b" } }), { annotations: { a: "b" } }],
  ])("%s", async (_, body, expected) => {
    document = body;
    expect(await getNode()).toMatchObject({ kind: "node", node: { name: "node-a", uid: "u1", ...expected } });
  });

  it.each([
    ["another Node", node({}, { name: "node-b" })],
    ["no uid", node({}, { uid: undefined })],
    ["another kind", node({ kind: "Pod" })],
    ["podCIDRs that are no list", node({ spec: { podCIDRs: "10.0.0.0/24" } })],
    ["podCIDRs that are numbers", node({ spec: { podCIDRs: [1] } })],
    ["a podCIDR that is a number", node({ spec: { podCIDR: 1 } })],
    ["an annotation that is a number", node({}, { annotations: { a: 1 } })],
    ["annotations that are a list", node({}, { annotations: [] })],
    ["a machineID that is a number", node({ status: { nodeInfo: { machineID: 1 } } })],
    ["no metadata", node({ metadata: undefined })],
    ["a list", []],
    ["null", null],
    ["a text", "Node"],
  ])("%s is rubbish", async (_, body) => {
    document = body;
    expect(await getNode()).toMatchObject({
      kind: "outage",
      reason: expect.stringContaining("rubbish"),
      status: 200,
    });
  });

  it("a list in pages", async () => {
    const pages: Record<string, object> = {
      "": { items: [node(), node({ status: {} }, { name: "other" })], metadata: { continue: "a+b/c=&" } },
      "a+b/c=&": { items: [], metadata: { continue: "last" } },
      last: { items: [node({ kind: undefined }, { name: "node-z", uid: "u2" })] },
    };
    document = (query: URLSearchParams) => ({ kind: "NodeList", ...pages[query.get("continue") ?? ""] });
    asked.length = 0;
    expect(await list()).toMatchObject({ kind: "nodes", nodes: [{ name: "node-a" }, { name: "node-z" }] });
    expect(asked).toHaveLength(3);
    for (const url of asked) expect(url).toMatch(/^\/api\/v1\/nodes\?limit=250(&continue=|$)/);
  });

  it.each([
    ["no items", { kind: "NodeList" }],
    ["another kind", { kind: "PodList", items: [] }],
    ["a continue that is none", { kind: "NodeList", items: [], metadata: { continue: 1 } }],
    ["a found Node that is none", { kind: "NodeList", items: [node({}, { uid: 1 })] }],
    ["the same page for ever", { kind: "NodeList", items: [], metadata: { continue: "again" } }],
  ])("a list with %s is an outage", async (_, body) => {
    document = body;
    expect(await list()).toMatchObject({ kind: "outage", status: 200 });
  });
});
