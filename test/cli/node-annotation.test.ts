// Which Node node-annotation's commands take for this machine's, with credentials that name none; and its own file.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { callPlugin, executables, type PluginAnswer } from "../parts/plugin.ts";

const key = "example.com/ranges";
const folder = mkdtempSync(join(tmpdir(), "commands-"));
const conf = join(folder, "node.conf");
const machineID = readFileSync("/etc/machine-id", "utf8").trim();

let api: EmbeddedApiServer;
beforeAll(async () => {
  api = await startEmbeddedApiServer();
  await api.createNode({ name: "mine", machineID, annotations: { [key]: "of mine" } });
  await api.createNode({ name: "other", machineID: "0".repeat(32), annotations: { [key]: "of other" } });
  const identity = { kind: "serviceAccount", namespace: "default", name: "reader", mayRead: "all" } as const;
  writeFileSync(join(folder, "kubeconfig"), await api.kubeconfigFor(identity));
});
afterAll(async () => {
  await api?.close();
  rmSync(folder, { recursive: true });
});

describe.each(executables())("node-annotation ($label)", ({ command }) => {
  async function run(
    words: string[],
    env: Record<string, string> = {},
    text?: string,
  ): Promise<PluginAnswer> {
    writeFileSync(conf, text ?? JSON.stringify({ kubeconfig: join(folder, "kubeconfig") }));
    return await callPlugin({
      command: [...command("node-annotation"), ...words],
      env: { NODE_ANNOTATION_CFG: conf, ...env },
    });
  }

  it.each([
    ["the machine-id", {}, "mine"],
    ["$NODE_NAME, though the machine-id is another's", { NODE_NAME: "other" }, "other"],
    ["the machine-id, where $NODE_NAME is empty", { NODE_NAME: "" }, "mine"],
  ])("finds its own Node by %s", async (_, env, name) => {
    const node = await run(["my_node"], env);
    expect(node.exitCode, node.stderr).toBe(0);
    expect(node.json).toMatchObject({ kind: "Node", metadata: { name } });
    const annotation = await run(["get_annotation", key], env);
    expect(annotation).toMatchObject({ exitCode: 0, stdout: `of ${name}\n` });
  });

  it("says that $NODE_NAME is the name of no Node", async () => {
    for (const words of [["my_node"], ["get_annotation", key]]) {
      const answer = await run(words, { NODE_NAME: "nobody" });
      expect(answer).toMatchObject({ exitCode: 1, stdout: "" });
      expect(answer.stderr).toMatch(/^node-annotation: .*\bnobody\b/);
    }
  });

  it.each([
    ['{"kubeconfig": /k}', "line 1, column 16: expected a value"],
    ['{"kubeconfig": 5}', "kubeconfig: expected a string, found a number"],
  ])("names its file where that is malformed: %s", async (text, words) => {
    for (const command of [["my_node"], ["get_annotation", key]]) {
      const answer = await run(command, {}, text);
      expect(answer).toMatchObject({ exitCode: 1, stdout: "" });
      expect(answer.stderr).toMatch(`node-annotation: ${conf} is malformed: ${words}`);
    }
  });
});
