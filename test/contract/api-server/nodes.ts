import { beforeAll, describe, expect, it } from "vitest";
import type { KubeNode } from "../../parts/api-server.ts";
import type { Answer } from "../../parts/https-request.ts";
import { annotate, mergePatch, nodes, readFailure, readItems, type Subject } from "./subject.ts";

/** Nodes one by one and in lists. */
export function describeNodes(getSubject: () => Subject): void {
  let subject: Subject;
  beforeAll(() => {
    subject = getSubject();
  });

  describe("lists", () => {
    it("go page by page", async () => {
      const first = await subject.ask(subject.admin, `${nodes}?limit=2`);
      expect(readItems(first).map(({ metadata }) => metadata.name)).toEqual(["node-a", "node-b"]);
      expect(first.json).toMatchObject({
        kind: "NodeList",
        apiVersion: "v1",
        metadata: { remainingItemCount: 1 },
      });
      const { continue: next, resourceVersion } = (first.json as { metadata: Record<string, string> })
        .metadata;
      expect(resourceVersion).toMatch(/^\d+$/);
      const second = await subject.ask(
        subject.admin,
        `${nodes}?limit=2&continue=${encodeURIComponent(next ?? "")}`,
      );
      expect(readItems(second).map(({ metadata }) => metadata.name)).toEqual(["node-c"]);
      expect((second.json as { metadata: object }).metadata).not.toHaveProperty("continue");
      expect(await subject.listNames(subject.admin, "limit=3")).toHaveLength(3);
    });

    it("have items without kind and apiVersion", async () => {
      const [item] = readItems(await subject.ask(subject.admin, `${nodes}?limit=1`));
      expect(item).toMatchObject({
        spec: { podCIDR: "10.1.0.0/24" },
        status: { nodeInfo: { machineID: "abc" } },
      });
      expect(Object.keys(item ?? {}).sort()).toEqual(["metadata", "spec", "status"]);
    });

    it.each([
      ["fieldSelector=metadata.name%3Dnode-b", ["node-b"]],
      ["fieldSelector=metadata.name!%3Dnode-b", ["node-a", "node-c"]],
      ["labelSelector=zone%3Da", ["node-a"]],
      ["labelSelector=zone!%3Da", ["node-b", "node-c"]],
      ["labelSelector=zone", ["node-a", "node-b"]],
      ["labelSelector=!zone", ["node-c"]],
      ["labelSelector=zone%20in%20(a,b),zone!%3Da", ["node-b"]],
      ["labelSelector=zone%20notin%20(a)", ["node-b", "node-c"]],
    ])("follow %s", async (query, names) => {
      expect(await subject.listNames(subject.admin, query)).toEqual(names);
    });

    it.each(["limit=many", "continue=rubbish", "fieldSelector=status.x%3D1", "labelSelector=%3D%3D"])(
      "refuse %s",
      async (query) => {
        const answer = await subject.ask(subject.admin, `${nodes}?${query}`);
        expect(readFailure(answer)).toMatchObject({ status: 400, reason: "BadRequest" });
      },
    );
  });

  describe("a Node", () => {
    it("moves its resourceVersion when an annotation is set, changed and taken away, and only then", async () => {
      const versions = [(await subject.server.createNode({ name: "node-moving" })).metadata.resourceVersion];
      for (const value of ["10.8.0.0/24", "10.8.0.0/24", "10.7.0.0/24", null, null]) {
        await subject.server.setAnnotation("node-moving", "example.org/range", value);
        const { metadata } = (await subject.server.getNode("node-moving")) as KubeNode;
        expect(metadata.annotations?.["example.org/range"] ?? null).toBe(value);
        versions.push(metadata.resourceVersion);
      }
      const [made, set, same, changed, taken, again] = versions.map(Number) as [number, ...number[]];
      expect(set).toBeGreaterThan(made);
      expect(same).toBe(set);
      expect(changed).toBeGreaterThan(Number(same));
      expect(taken).toBeGreaterThan(Number(changed));
      expect(again).toBe(taken);
      await subject.server.deleteNode("node-moving");
    });

    it("has another uid when it is made again", async () => {
      const first = await subject.server.createNode({ name: "node-again", podCIDRs: ["10.3.0.0/24"] });
      await subject.server.deleteNode("node-again");
      const second = await subject.server.createNode({ name: "node-again", podCIDRs: ["10.4.0.0/24"] });
      expect(second.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
      expect(second.metadata.uid).not.toBe(first.metadata.uid);
      expect((await subject.server.getNode("node-again"))?.spec.podCIDRs).toEqual(["10.4.0.0/24"]);
      await subject.server.deleteNode("node-again");
    });

    it("is refused where it can't be so", async () => {
      const { metadata } = (await subject.server.getNode("node-a")) as KubeNode;
      const patch = (body: object, headers = mergePatch) =>
        subject.ask(subject.admin, { method: "PATCH", path: `${nodes}/node-a`, body, headers });
      const create = (name: string) =>
        subject.ask(subject.admin, {
          method: "POST",
          path: nodes,
          body: { kind: "Node", apiVersion: "v1", metadata: { name } },
        });
      const reasons = async (answers: Promise<Answer>[]) =>
        (await Promise.all(answers)).map(readFailure).map(({ status, reason }) => [status, reason]);
      expect(
        await reasons([
          create("node-a"),
          create("Node_A"),
          patch({ metadata: { annotations: { "no key": "" } } }),
          patch({ spec: { podCIDR: "10.2.0.0/24", podCIDRs: ["10.2.0.0/24"] } }),
          patch({ metadata: { resourceVersion: "1", annotations: { a: "b" } } }),
          patch({ metadata: { uid: "00000000-0000-0000-0000-000000000000" } }),
          patch({ metadata: { name: "node-b" } }),
          patch({ metadata: { annotations: { number: 1 } } }),
          patch({}, { "content-type": "application/json" }),
          subject.ask(subject.admin, annotate("node-absent", { a: "b" })),
          subject.ask(subject.admin, { method: "POST", path: `${nodes}/node-a`, body: {} }),
        ]),
      ).toEqual([
        [409, "AlreadyExists"],
        [422, "Invalid"],
        [422, "Invalid"],
        [422, "Invalid"],
        [409, "Conflict"],
        [422, "Invalid"],
        [400, "BadRequest"],
        [422, "Invalid"],
        [415, "UnsupportedMediaType"],
        [404, "NotFound"],
        [405, "MethodNotAllowed"],
      ]);
      const quiet = await patch({
        metadata: { uid: metadata.uid },
        status: { nodeInfo: { machineID: "other" } },
      });
      expect(quiet.json).toMatchObject({ metadata, status: { nodeInfo: { machineID: "abc" } } });
    });
  });
}
