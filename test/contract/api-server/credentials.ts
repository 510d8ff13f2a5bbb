import { beforeAll, describe, expect, it } from "vitest";
import type { Credentials, Identity } from "../../parts/api-server.ts";
import { createAuthority } from "../../parts/certificates.ts";
import { send } from "../../parts/https-request.ts";
import { readToken } from "../../parts/web-token.ts";
import { account, annotate, forbidden, nodes, readFailure, type Subject } from "./subject.ts";

/** ServiceAccounts and their tokens, and credentials that are refused. */
export function describeCredentials(getSubject: () => Subject): void {
  let subject: Subject;
  beforeAll(() => {
    subject = getSubject();
  });

  describe("a ServiceAccount", () => {
    it("reads the Nodes that its role names, lists none and changes none", async () => {
      const token = await subject.server.credentialsFor({ ...account, mayRead: ["node-a", "node-b"] });
      const user = 'User "system:serviceaccount:kube-system:kube-node"';
      expect((await subject.ask(token, `${nodes}/node-a`)).status).toBe(200);
      expect((await subject.ask(token, `${nodes}/node-b`)).status).toBe(200);
      expect(readFailure(await subject.ask(token, `${nodes}/node-c`))).toEqual({
        ...forbidden,
        message: `nodes "node-c" is forbidden: ${user} cannot get resource "nodes" in API group "" at the cluster scope`,
        details: { name: "node-c", kind: "nodes" },
      });
      expect(readFailure(await subject.ask(token, nodes))).toMatchObject({
        ...forbidden,
        message: `nodes is forbidden: ${user} cannot list resource "nodes" in API group "" at the cluster scope`,
      });
      expect(
        readFailure(await subject.ask(token, annotate("node-a", { "example.org/own": "2" }))),
      ).toMatchObject(forbidden);
    });

    it("reads and lists all Nodes, or none, as its role says", async () => {
      const all = await subject.server.credentialsFor({ ...account, name: "reader", mayRead: "all" });
      expect((await subject.ask(all, `${nodes}/node-c`)).status).toBe(200);
      expect(await subject.listNames(all, "limit=500")).toEqual(["node-a", "node-b", "node-c"]);
      const none = await subject.server.credentialsFor({ ...account, name: "reader", mayRead: "none" });
      expect(readFailure(await subject.ask(none, `${nodes}/node-c`))).toMatchObject(forbidden);
    });

    it("has a token that says its Node where it is bound to one, and ends with that Node", async () => {
      const { metadata } = await subject.server.createNode({ name: "node-bound" });
      const identity: Identity = { ...account, name: "bound", mayRead: "all" };
      const [bound, late] = await Promise.all([
        subject.server.credentialsFor({ ...identity, boundTo: "node-bound" }),
        subject.server.credentialsFor({ ...identity, boundTo: "node-bound" }),
      ]);
      expect(readToken(bound.token ?? "").claims["kubernetes.io"]).toMatchObject({
        namespace: "kube-system",
        node: { name: "node-bound", uid: metadata.uid },
        serviceaccount: { name: "bound" },
      });
      expect((await subject.ask(bound, `${nodes}/node-a`)).status).toBe(200);
      await subject.server.deleteNode("node-bound");
      // A real server forgets what it believed of a token only after some seconds: this one it hasn't seen yet.
      await expect
        .poll(async () => readFailure(await subject.ask(late, `${nodes}/node-a`)), { timeout: 10_000 })
        .toEqual({
          status: 401,
          reason: "Unauthorized",
          message: "Unauthorized",
        });
      const free = await subject.server.credentialsFor(identity);
      expect(readToken(free.token ?? "").claims["kubernetes.io"]).not.toHaveProperty("node");
    });
  });

  describe("credentials that aren't good", () => {
    const unauthorized = { status: 401, reason: "Unauthorized", message: "Unauthorized" };

    it("are nobody's where there are none", async () => {
      expect(readFailure(await subject.askAs({ kind: "anonymous" }, `${nodes}/node-a`))).toMatchObject({
        ...forbidden,
        message:
          'nodes "node-a" is forbidden: User "system:anonymous" cannot get resource "nodes" in API group "" at the cluster scope',
      });
    });

    it("are refused: rubbish, ended, signed by another", async () => {
      const foreign = await createAuthority("test-authority");
      const request = {
        commonName: "system:node:node-a",
        organizations: ["system:nodes"],
        usages: ["client" as const],
      };
      const good = await subject.server.credentialsFor({ ...account, mayRead: "all" });
      const credentials: Credentials[] = [
        { token: "rubbish" },
        { token: `${good.token}x` },
        await subject.server.credentialsFor({ ...account, mayRead: "all", expired: true }),
        await subject.server.credentialsFor({ kind: "kubelet", node: "node-a", expired: true }),
        { client: await foreign.issue(request) },
      ];
      const answers = await Promise.all(credentials.map((one) => subject.ask(one, `${nodes}/node-a`)));
      expect(answers.map(readFailure)).toEqual(credentials.map(() => unauthorized));
    });

    it("don't get as far as that where the client trusts another authority", async () => {
      const { certificate: authority } = await createAuthority("test-authority");
      const asking = send(
        { url: subject.server.url, authority, credentials: subject.admin },
        { path: nodes },
      );
      await expect(asking).rejects.toThrow(/signature|certificate/);
    });
  });
}
