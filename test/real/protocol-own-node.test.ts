// Which Node this machine is: every way of telling, which of them comes first, and what is refused.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Identity, NodeSpec } from "../parts/api-server.ts";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { beginOutage } from "./parts/outage.ts";
import { describeHostLocals, describeSubjects, onlyCompiled } from "./parts/subjects.ts";
import { makeWorker } from "./parts/worker.ts";

const machineID = readMachineID();
const lack = whatLacks(machineID === "" ? { missing: "/etc/machine-id" } : {});
const host = hostname().toLowerCase();
const podCIDRs = ["10.1.0.0/24"];
const get = (name: string) => `GET /api/v1/nodes/${name}`;
const list = "GET /api/v1/nodes?limit=250";
const everyTime = { ipam: { cacheTTL: 0 } };

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

function account(mayRead: "all" | string[], boundTo?: string): Identity {
  const name = `reader-of-${mayRead === "all" ? mayRead : mayRead.join("-")}`;
  return { kind: "serviceAccount", namespace: "kube-system", name, mayRead, ...(boundTo && { boundTo }) };
}

async function makeNode(name: string, spec: Omit<NodeSpec, "name"> = {}): Promise<void> {
  onTestFinished(() => server.deleteNode(name));
  await server.createNode({ name, podCIDRs: ["10.9.0.0/24"], ...spec });
}

describeSubjects("the own Node's name", (subject) => {
  const itCompiled = onlyCompiled(subject);

  const make = (spec: Parameters<typeof makeWorker>[2] = {}) =>
    makeWorker(server, subject, { podCIDRs, ...spec });

  it("ipam.nodeName comes before $NODE_NAME", async () => {
    const worker = await make({ identity: account("all") });
    await makeNode("other");
    expect(await worker.add({ ipam: { nodeName: worker.name }, env: { NODE_NAME: "other" } })).toEqual([
      "10.1.0.2",
    ]);
    expect(worker.requests()).toEqual([get(worker.name)]);
  });

  it("$NODE_NAME comes before the credentials", async () => {
    await makeNode("other");
    const worker = await make({ identity: account("all", "other") });
    expect(await worker.add({ env: { NODE_NAME: worker.name } })).toEqual(["10.1.0.2"]);
    expect(worker.requests()).toEqual([get(worker.name)]);
  });

  it("the kubelet's certificate has it, inline", async () => {
    const worker = await make();
    expect(await worker.add()).toEqual(["10.1.0.2"]);
    expect(worker.requests()).toEqual([get(worker.name)]);
  });

  it("the kubelet's certificate has it, in the file that the kubelet rotates", async () => {
    const worker = await make();
    const identity = { kind: "kubelet", node: worker.name } as const;
    const rotate = async () => {
      const folder = `${worker.folder}/pki`;
      mkdirSync(folder, { recursive: true });
      writeFileSync(worker.kubeconfig, await server.kubeconfigFor(identity, { folder }));
    };
    await rotate();
    await worker.add(everyTime);
    await rotate();
    await worker.add({ ...everyTime, id: "c2" });
    expect(worker.requests()).toEqual([get(worker.name), get(worker.name)]);
  });

  it("a token that is bound to a Node has it", async () => {
    const worker = await make();
    const identity = account([worker.name], worker.name);
    writeFileSync(worker.kubeconfig, await server.kubeconfigFor(identity));
    expect(await worker.add()).toEqual(["10.1.0.2"]);
    expect(worker.requests()).toEqual([get(worker.name)]);
  });

  itCompiled("a name that no Node has: 102, whatever is known from before, and DEL works", async () => {
    const worker = await make({ identity: account("all") });
    await worker.add({ env: { NODE_NAME: worker.name } });
    await server.deleteNode(worker.name);
    for (const name of [worker.name, "no-such-node", "Not A Name"]) {
      expect(await worker.fail("ADD", { ...everyTime, env: { NODE_NAME: name }, id: "c2" })).toMatchObject({
        code: 102,
        msg: "the API server has no such Node",
        details: expect.stringContaining(name),
      });
    }
    await worker.pass("DEL", { env: { NODE_NAME: worker.name } });
    expect(worker.leases()).toEqual({});
  });

  itCompiled("a credential that may read neither Nodes nor its own: 11 with the server's words", async () => {
    const worker = await make({ identity: account([]) });
    expect(await worker.fail("ADD")).toMatchObject({
      code: 11,
      details: expect.stringContaining("forbidden"),
    });
  });

  describe.skipIf(lack.some)(`by /etc/machine-id${lack.words}`, () => {
    it("the host's name is taken where the Node of that name has this machine's id", async () => {
      const worker = await make({ name: host, machineID, identity: account("all") });
      expect(await worker.add()).toEqual(["10.1.0.2"]);
      expect(worker.requests()).toEqual([get(host)]);
    });

    it("else all Nodes are looked through, once: the name that was found is kept", async () => {
      const worker = await make({ machineID, identity: account("all") });
      expect(await worker.add(everyTime)).toEqual(["10.1.0.2"]);
      expect(worker.requests()).toEqual([get(host), list]);
      await worker.add({ ...everyTime, id: "c2" });
      expect(worker.requests().slice(2)).toEqual([get(worker.name)]);
    });

    it("the host's name isn't trusted where that Node is another machine", async () => {
      await makeNode(host, { machineID: "another" });
      const worker = await make({ machineID, identity: account("all") });
      expect(await worker.add()).toEqual(["10.1.0.2"]);
      expect(worker.requests()).toEqual([get(host), list]);
    });

    itCompiled("a name that was kept is left where that Node is another machine now", async () => {
      const worker = await make({ machineID, identity: account("all") });
      await worker.add(everyTime);
      await server.deleteNode(worker.name);
      await makeNode(worker.name, { machineID: "another" });
      await makeNode("renamed", { machineID });
      expect(await worker.add({ ...everyTime, id: "c2" })).toEqual(["10.9.0.2"]);
      expect(worker.requests().slice(2)).toEqual([get(worker.name), get(host), list]);
    });

    it("mended 11: two Nodes with one machine-id are refused, unless one is named", async () => {
      const worker = await make({ name: "twin-a", machineID, identity: account("all") });
      await makeNode("twin-b", { machineID });
      expect(await worker.fail("ADD")).toMatchObject({
        code: 102,
        msg: "Nodes twin-a and twin-b have this machine's machine-id",
        details: expect.stringContaining("NODE_NAME"),
      });
      expect([worker.leases(), worker.records()]).toEqual([{}, []]);
      expect(await worker.add({ env: { NODE_NAME: "twin-b" } })).toEqual(["10.9.0.2"]);
    });

    itCompiled("no Node has it: 102", async () => {
      const worker = await make({ machineID: "another", identity: account("all") });
      expect(await worker.fail("ADD")).toMatchObject({
        code: 102,
        msg: "no Node has this machine's machine-id",
      });
    });

    it("credentials that name a Node with another machine-id are refused: a copied disk", async () => {
      const worker = await make({ machineID: "another" });
      const bound = account([worker.name], worker.name);
      for (const identity of [{ kind: "kubelet", node: worker.name } as const, bound]) {
        writeFileSync(worker.kubeconfig, await server.kubeconfigFor(identity));
        expect(await worker.fail("ADD")).toMatchObject({
          code: 102,
          msg: `the credentials name Node ${worker.name}, which has another machine-id than this machine`,
          details: expect.stringContaining(worker.kubeconfig),
        });
      }
      expect([worker.leases(), worker.records()]).toEqual([{}, []]);
    });

    it("a name given by hand with another machine-id is taken, with a warning", async () => {
      const worker = await make({ machineID: "another" });
      expect(await worker.add({ ipam: { nodeName: worker.name } })).toEqual(["10.1.0.2"]);
      await worker.add({ ...everyTime, env: { NODE_NAME: worker.name }, id: "c2" });
      const msg = `Node ${worker.name} has another machine-id than this machine`;
      expect(worker.log()).toMatchObject([
        { level: 40, msg },
        { level: 40, msg },
      ]);
    });

    itCompiled("state that another machine left on this disk isn't used", async () => {
      const worker = await make({ machineID });
      await worker.add(everyTime);
      const path = `${worker.state()}/ranges-spec.podCIDRs`;
      writeFileSync(path, readFileSync(path, "utf8").replaceAll(machineID, "another"));
      await beginOutage(server, "status403");
      expect(await worker.fail("ADD", { id: "c2" })).toMatchObject({ code: 11 });
    });
  });
});

describeHostLocals("a large cluster", (subject) => {
  it.skipIf(lack.some)(`is read page by page, and a twin on the last page is seen${lack.words}`, async () => {
    for (let n = 0; n < 260; n++)
      await makeNode(`many-${String(n).padStart(3, "0")}`, { machineID: `id-${n}` });
    const worker = await makeWorker(server, subject, {
      name: "zz",
      podCIDRs,
      machineID,
      identity: account("all"),
    });
    expect(await worker.add()).toEqual(["10.1.0.2"]);
    expect(worker.requests()).toEqual([get(host), list, expect.stringContaining(`${list}&continue=`)]);
    const second = await makeWorker(server, subject, { name: "aa", machineID, identity: account("all") });
    expect(await second.fail("ADD")).toMatchObject({ code: 102, msg: expect.stringMatching(/aa and zz/) });
  });
});

function readMachineID(): string {
  try {
    return readFileSync("/etc/machine-id", "utf8").trim();
  } catch {
    return "";
  }
}
