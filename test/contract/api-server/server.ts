import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, expect, it } from "vitest";
import { kubectl, whatLacks } from "../../parts/tools.ts";
import { account, nodes, readFailure, type Subject } from "./subject.ts";

/** The server as a whole: other paths, kubectl, and its end and beginning. */
export function describeServer(getSubject: () => Subject): void {
  let subject: Subject;
  beforeAll(() => {
    subject = getSubject();
  });

  it("answers a path that isn't there by text, one of the API by a Status", async () => {
    const path = await subject.ask(subject.admin, "/nothing");
    expect(path).toMatchObject({ status: 404, text: "404 page not found\n", json: undefined });
    const details = {};
    const message = "the server could not find the requested resource";
    expect(readFailure(await subject.ask(subject.admin, "/api/v1/nothings"))).toEqual({
      status: 404,
      reason: "NotFound",
      message,
      details,
    });
  });

  const lacksKubectl = whatLacks(kubectl());
  it.skipIf(lacksKubectl.some)(
    `works with kubectl, by inline credentials and files${lacksKubectl.words}`,
    async () => {
      const run = async (kubeconfig: string, ...args: string[]) => {
        const flags = ["--kubeconfig", kubeconfig, "--cache-dir", join(subject.folder, "cache")];
        return execa(kubectl().path ?? "kubectl", [...flags, ...args], {
          reject: false,
          env: { KUBECONFIG: "" },
        });
      };
      const asAdmin = join(subject.folder, "admin.kubeconfig");
      const asKubelet = join(subject.folder, "kubelet.kubeconfig");
      const asReader = join(subject.folder, "reader.kubeconfig");
      await writeFile(asAdmin, await subject.server.kubeconfigFor({ kind: "admin" }));
      await writeFile(
        asKubelet,
        await subject.server.kubeconfigFor({ kind: "kubelet", node: "node-c" }, { folder: subject.folder }),
      );
      await writeFile(
        asReader,
        await subject.server.kubeconfigFor({ ...account, mayRead: ["node-c"] }, { folder: subject.folder }),
      );

      expect(await run(asAdmin, "annotate", "node", "node-c", "example.org/range=10.6.0.0/24")).toMatchObject(
        {
          exitCode: 0,
          stdout: "node/node-c annotated",
        },
      );
      const value = ["get", "node", "node-c", "-o", "jsonpath={.metadata.annotations.example\\.org/range}"];
      for (const who of [asAdmin, asKubelet, asReader]) {
        expect(await run(who, ...value)).toMatchObject({ stdout: "10.6.0.0/24", stderr: "" });
      }
      const again = await run(asAdmin, "annotate", "node", "node-c", "example.org/range=10.5.0.0/24");
      expect(again.stderr).toContain("--overwrite is false");
      expect(await run(asAdmin, "annotate", "node", "node-c", "example.org/range-")).toMatchObject({
        exitCode: 0,
      });
      expect((await subject.server.getNode("node-c"))?.metadata).not.toHaveProperty("annotations");
      expect((await run(asAdmin, "get", "nodes", "-o", "name")).stdout.split("\n")).toEqual([
        "node/node-a",
        "node/node-b",
        "node/node-c",
      ]);
      const refused = await run(asKubelet, "get", "nodes");
      expect(refused).toMatchObject({ exitCode: 1 });
      expect(refused.stderr).toContain("cannot read all nodes, only its own Node object");
    },
  );

  it("refuses connections when stopped, and goes on with the same state when started again", async () => {
    const kubelet = await subject.server.credentialsFor({ kind: "kubelet", node: "node-a" });
    const reader = await subject.server.credentialsFor({ ...account, mayRead: ["node-a"] });
    const before = await subject.server.getNode("node-a");
    await subject.server.stop();
    await expect(subject.ask(kubelet, `${nodes}/node-a`)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await subject.server.start();
    for (const credentials of [kubelet, reader]) {
      expect((await subject.ask(credentials, `${nodes}/node-a`)).json).toMatchObject({
        metadata: { ...before?.metadata },
      });
    }
  });
}
