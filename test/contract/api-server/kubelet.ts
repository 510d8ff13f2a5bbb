import { beforeAll, describe, expect, it } from "vitest";
import { annotate, forbidden, nodes, readFailure, readItems, type Subject } from "./subject.ts";

/** What a kubelet may do: the Node authorizer and NodeRestriction. */
export function describeKubelet(getSubject: () => Subject): void {
  let subject: Subject;
  beforeAll(() => {
    subject = getSubject();
  });

  describe("the kubelet of node-a", () => {
    const kubelet = { kind: "kubelet", node: "node-a" } as const;

    it("reads its own Node", async () => {
      const answer = await subject.askAs(kubelet, `${nodes}/node-a`);
      expect(answer.status).toBe(200);
      expect(answer.headers["content-type"]).toBe("application/json");
      expect(answer.json).toMatchObject({
        kind: "Node",
        apiVersion: "v1",
        metadata: {
          name: "node-a",
          labels: { zone: "a" },
          annotations: { "example.org/range": "10.9.0.0/24" },
        },
        spec: { podCIDR: "10.1.0.0/24", podCIDRs: ["10.1.0.0/24", "fd00:1::/64"] },
        status: { nodeInfo: { machineID: "abc" } },
      });
    });

    it.each(["node-b", "node-absent"])("may not read %s", async (other) => {
      const why = `User "system:node:node-a" cannot get resource "nodes" in API group "" at the cluster scope`;
      const message = `nodes "${other}" is forbidden: ${why}: node 'node-a' cannot read '${other}', only its own Node object`;
      const details = { name: other, kind: "nodes" };
      expect(readFailure(await subject.askAs(kubelet, `${nodes}/${other}`))).toEqual({
        ...forbidden,
        message,
        details,
      });
    });

    it("may not list, but by its own name", async () => {
      const why = `User "system:node:node-a" cannot list resource "nodes" in API group "" at the cluster scope`;
      const all = await subject.askAs(kubelet, nodes);
      expect(readFailure(all)).toEqual({
        ...forbidden,
        message: `nodes is forbidden: ${why}: node 'node-a' cannot read all nodes, only its own Node object`,
        details: { kind: "nodes" },
      });
      const other = await subject.askAs(kubelet, `${nodes}?fieldSelector=metadata.name%3Dnode-b`);
      expect(readFailure(other)).toMatchObject({ ...forbidden, details: { name: "node-b", kind: "nodes" } });
      const own = await subject.askAs(kubelet, `${nodes}?fieldSelector=metadata.name%3Dnode-a`);
      expect(readItems(own).map(({ metadata }) => metadata.name)).toEqual(["node-a"]);
    });

    it("annotates its own Node and no other", async () => {
      expect((await subject.askAs(kubelet, annotate("node-a", { "example.org/own": "1" }))).status).toBe(200);
      expect((await subject.server.getNode("node-a"))?.metadata.annotations).toMatchObject({
        "example.org/own": "1",
      });
      expect(
        readFailure(await subject.askAs(kubelet, annotate("node-b", { "example.org/own": "1" }))),
      ).toMatchObject({
        ...forbidden,
        message: 'nodes "node-b" is forbidden: node "node-a" is not allowed to modify node "node-b"',
      });
    });

    it("may not delete its own Node", async () => {
      const answer = await subject.askAs(kubelet, { method: "DELETE", path: `${nodes}/node-a` });
      expect(readFailure(answer)).toMatchObject(forbidden);
    });

    it("gets 404 where its own Node isn't there, before it and after it", async () => {
      const gone = { kind: "kubelet", node: "node-gone" } as const;
      const absent = {
        status: 404,
        reason: "NotFound",
        message: 'nodes "node-gone" not found',
        details: { name: "node-gone", kind: "nodes" },
      };
      expect(readFailure(await subject.askAs(gone, `${nodes}/node-gone`))).toEqual(absent);
      await subject.server.createNode({ name: "node-gone" });
      expect((await subject.askAs(gone, `${nodes}/node-gone`)).status).toBe(200);
      await subject.server.deleteNode("node-gone");
      expect(readFailure(await subject.askAs(gone, `${nodes}/node-gone`))).toEqual(absent);
      expect(await subject.server.getNode("node-gone")).toBeUndefined();
    });
  });
}
