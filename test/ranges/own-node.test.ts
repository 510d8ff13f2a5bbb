import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hostName } from "../../src/host/machine.ts";
import { type Connection, readConnection } from "../../src/kube/connection.ts";
import { askOwnNode, type OwnNodeHints } from "../../src/ranges/own-node.ts";
import { testFolder } from "../host/folder.ts";
import type { Identity } from "../parts/api-server.ts";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";

const account = { kind: "serviceAccount", namespace: "kube-system", mayRead: "all" } as const;
const all: Identity = { ...account, name: "all" };

describe("askOwnNode", () => {
  let server: EmbeddedApiServer;

  beforeAll(async () => {
    server = await startEmbeddedApiServer();
    await server.createNode({ name: "node-a", machineID: "m-a", podCIDRs: ["10.1.2.0/24"] });
    await server.createNode({ name: "node-b", machineID: "m-b" });
    await server.createNode({ name: "twin-1", machineID: "m-t" });
    await server.createNode({ name: "twin-2", machineID: "m-t" });
    await server.createNode({ name: "no-id" });
  });
  afterAll(() => server.close());

  async function ask(identity: Identity, hints: OwnNodeHints) {
    const path = `${testFolder()}/kubeconfig`;
    writeFileSync(path, await server.kubeconfigFor(identity), { mode: 0o600 });
    const connection: Connection = await readConnection({ env: {}, kubeconfig: path });
    server.requests.length = 0;
    return askOwnNode(connection, hints, { deadline: Date.now() + 5000, maxBytes: 1 << 20 });
  }

  const asked = () => server.requests.map(({ path }) => path.replace("/api/v1/nodes", ""));

  it("asks for the name that was given, and for nothing else", async () => {
    expect(await ask(all, { given: "node-a", kept: "node-b", machineIDs: ["m-a"] })).toMatchObject({
      kind: "node",
      node: { name: "node-a", podCIDRs: ["10.1.2.0/24"] },
    });
    expect(asked()).toEqual(["/node-a"]);
  });

  it("warns where a given name is another machine's", async () => {
    const answer = await ask(all, { given: "node-b", machineIDs: ["m-a"] });
    expect(answer).toMatchObject({
      kind: "node",
      warning: expect.stringMatching(/^Node node-b has another machine-id/),
    });
  });

  it("says that a given name is no Node's", async () => {
    expect(await ask(all, { given: "nobody", machineIDs: ["m-a"] })).toMatchObject({ kind: "absent" });
    expect(await ask(all, { given: "No/Name", machineIDs: ["m-a"] })).toMatchObject({ kind: "absent" });
  });

  it("goes by what was found before, while that is this machine", async () => {
    expect(await ask(all, { kept: "node-a", machineIDs: ["m-a"] })).toMatchObject({
      node: { name: "node-a" },
    });
    expect(asked()).toEqual(["/node-a"]);
    expect(await ask(all, { kept: "node-b", machineIDs: ["m-a"] })).toMatchObject({
      node: { name: "node-a" },
    });
    expect(await ask(all, { kept: "gone", machineIDs: ["m-a"] })).toMatchObject({ node: { name: "node-a" } });
  });

  it("goes by the kubelet's certificate, which may read no other Node", async () => {
    const answer = await ask({ kind: "kubelet", node: "node-a" }, { machineIDs: ["m-a"] });
    expect(answer).toMatchObject({ kind: "node", node: { name: "node-a" } });
    expect(asked()).toEqual(["/node-a"]);
  });

  it("goes by the Node that a token is bound to", async () => {
    const bound: Identity = { ...account, name: "bound", mayRead: ["node-a"], boundTo: "node-a" };
    expect(await ask(bound, { machineIDs: ["m-a"] })).toMatchObject({ node: { name: "node-a" } });
    expect(asked()).toEqual(["/node-a"]);
  });

  it("refuses credentials that came with a disk from another machine", async () => {
    await expect(ask({ kind: "kubelet", node: "node-b" }, { machineIDs: ["m-a"] })).rejects.toMatchObject({
      code: 102,
      message: expect.stringContaining("node-b, which has another machine-id"),
      details: expect.stringContaining("nodeName"),
    });
  });

  it("takes a Node that has no machine-id yet for the one that the credentials name", async () => {
    const answer = await ask({ kind: "kubelet", node: "no-id" }, { machineIDs: ["m-a"] });
    expect(answer).toMatchObject({ kind: "node", node: { name: "no-id" } });
  });

  it("goes by the machine-id where nothing names the Node, after the host's own name", async () => {
    expect(await ask(all, { machineIDs: ["m-x", "m-b"] })).toMatchObject({ node: { name: "node-b" } });
    expect(asked()).toEqual([`/${hostName().toLowerCase()}`, "?limit=250"]);
  });

  it("refuses two Nodes of one machine-id", async () => {
    await expect(ask(all, { machineIDs: ["m-t"] })).rejects.toMatchObject({
      code: 102,
      message: "Nodes twin-1 and twin-2 have this machine's machine-id",
    });
  });

  it("says where no Node is this machine, or this machine has no id", async () => {
    await expect(ask(all, { machineIDs: ["m-x"] })).rejects.toMatchObject({
      code: 102,
      message: "no Node has this machine's machine-id",
      details: expect.stringContaining("status.nodeInfo.machineID"),
    });
    await expect(ask(all, { machineIDs: [] })).rejects.toMatchObject({
      code: 102,
      details: expect.stringContaining("systemd-machine-id-setup"),
    });
  });

  it("may not read the Nodes: an outage that says so", async () => {
    const none: Identity = { ...account, name: "none", mayRead: "none" };
    expect(await ask(none, { machineIDs: ["m-a"] })).toMatchObject({ kind: "outage", status: 403 });
    expect(await ask({ kind: "kubelet", node: "node-a" }, { given: "node-b", machineIDs: [] })).toMatchObject(
      {
        kind: "outage",
        status: 403,
      },
    );
  });
});
