// The plugin's token where the API server binds none to Nodes: before Kubernetes 1.31, or with the gate shut.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa, execaSync } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isFresh, requestToken } from "../../src/agent/plugin-token.ts";
import { ApiError } from "../../src/kube/api-error.ts";
import type { Client } from "../../src/kube/client.ts";
import type { NodeFacts } from "../../src/kube/node.ts";
import type { ApiServer } from "../parts/api-server.ts";
import { send } from "../parts/https-request.ts";
import { executables } from "../parts/plugin.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../parts/real-api-server.ts";
import { type Requirement, whatLacks } from "../parts/tools.ts";
import { makeHost } from "./parts/agent.ts";

const account = { namespace: "kube-node", name: "kube-node-plugin" };
const node = { name: "n1", uid: "uid-1" } as NodeFacts;
const hour = 3600;

function tokenWith(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part(claims)}.x`;
}

/** A server that answers so to what is asked of it. */
function clientOf(answer: (spec: { boundObjectRef?: object; expirationSeconds: number }) => string) {
  const asked: { boundObjectRef?: object; expirationSeconds: number }[] = [];
  const create = async (_: string, { spec }: { spec: (typeof asked)[number] }) => {
    asked.push(spec);
    return { status: { token: answer(spec) } };
  };
  return { asked, client: { create } as unknown as Client };
}

describe("a token for the plugin", () => {
  const refusing = (status: number) =>
    clientOf(({ boundObjectRef }) => {
      if (boundObjectRef) throw new ApiError({ reason: "cannot bind token to object of type", status });
      return tokenWith({});
    });

  it.each([400, 422])(
    "is unbound, and ends in hours, where the server refuses to bind (%d)",
    async (status) => {
      const { client, asked } = refusing(status);
      expect(await requestToken(client, account, node)).toEqual({ token: tokenWith({}), isBound: false });
      expect(asked.map(({ expirationSeconds }) => expirationSeconds)).toEqual([72 * hour, 4 * hour]);
    },
  );

  it("is unbound, and ends in hours, where the server leaves the Node out, or takes another", async () => {
    for (const claims of [{}, { "kubernetes.io": { node: { name: "n1", uid: "uid-0" } } }]) {
      const { client, asked } = clientOf(() => tokenWith(claims));
      expect((await requestToken(client, account, node)).isBound).toBe(false);
      expect(asked.at(-1)).toEqual({ expirationSeconds: 4 * hour });
    }
  });

  it("is bound where the server says so, with one request", async () => {
    const token = tokenWith({ "kubernetes.io": { node: { name: "n1", uid: "uid-1" } } });
    const { client, asked } = clientOf(() => token);
    expect(await requestToken(client, account, node)).toEqual({ token, isBound: true });
    expect(asked).toHaveLength(1);
  });

  it.each([401, 403, 404, 409, 500])(
    "is not asked for unbound where something else is wrong (%d)",
    async (status) => {
      const { client, asked } = refusing(status);
      await expect(requestToken(client, account, node)).rejects.toThrow("cannot bind");
      expect(asked).toHaveLength(1);
    },
  );

  it("without a Node is fresh on any, for two thirds of its life", () => {
    const [iat, exp] = [1000, 1000 + 4 * hour];
    const sub = "system:serviceaccount:kube-node:kube-node-plugin";
    const token = tokenWith({ iat, exp, sub, "kubernetes.io": {} });
    expect(isFresh(token, account, node, (iat + 2.5 * hour) * 1000, 0)).toBe(true);
    expect(isFresh(token, account, node, (iat + 2.7 * hour) * 1000, 0)).toBe(false);
  });
});

const noServer = reasonForNoRealApiServer();
const lack = whatLacks(noServer === undefined ? canBeOld() : { missing: noServer });

/** Three releases back at most: the gate is locked from 1.33 on. */
function canBeOld(): Requirement {
  const program = join(process.env["KUBEBUILDER_ASSETS"] ?? "", "kube-apiserver");
  const minor = Number(/v1\.(\d+)/.exec(execaSync(program, ["--version"]).stdout)?.[1]);
  return minor >= 31 && minor <= 35 ? {} : { missing: "a kube-apiserver that can be as 1.32 was" };
}

describe.skipIf(lack.some)(`with a real API server that binds none to Nodes${lack.words}`, () => {
  let server: ApiServer;
  let folder: string;
  let kubeconfig: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "unbound-"));
    server = await startRealApiServer({
      flags: ["--emulated-version=1.32", "--feature-gates=ServiceAccountTokenNodeBinding=false"],
    });
    await server.createNode({ name: "n1", podCIDRs: ["10.1.0.0/24"] });
    await server.credentialsFor({ kind: "serviceAccount", ...account, mayRead: "all" });
    kubeconfig = join(folder, "admin");
    writeFileSync(kubeconfig, await server.kubeconfigFor({ kind: "admin" }), { mode: 0o600 });
  }, 90_000);
  afterAll(async () => {
    await server?.close();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it("the agent installs one of four hours, which works, and says why it is short; the next time it stays", async () => {
    const host = makeHost();
    const agent = executables()[0]?.command("kube-node-agent") ?? [];
    const [file = "", ...words] = [
      ...agent,
      "install",
      "--node-name=n1",
      `--host-root=${host.root}`,
      `--kubeconfig=${kubeconfig}`,
      "--credentials=token",
      "--plugin-account=kube-node/kube-node-plugin",
    ];
    const answer = await execa(file, words, { reject: false });
    expect(answer, answer.stderr).toMatchObject({ exitCode: 0 });
    expect(`${answer.stdout}\n${answer.stderr}`).toContain("this API server binds none to Nodes");
    const token = readFileSync(join(host.conf, "kube-node.d/token"), "utf8").trim();
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    expect(claims.exp - claims.iat).toBe(4 * hour);
    expect(claims["kubernetes.io"]).not.toHaveProperty("node");
    const { url, authority } = server;
    const read = await send({ url, authority, credentials: { token } }, { path: "/api/v1/nodes/n1" });
    expect(read.status).toBe(200);
    expect(await execa(file, words, { reject: false })).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(host.conf, "kube-node.d/token"), "utf8").trim()).toBe(token);
  });
});
