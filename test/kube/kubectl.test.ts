import { readFileSync } from "node:fs";
import type { TLSSocket } from "node:tls";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Connection, readConnection } from "../../src/kube/connection.ts";
import { get } from "../../src/kube/request.ts";
import { type Authority, createAuthority, type Issued } from "../parts/certificates.ts";
import { kubectl, whatLacks } from "../parts/tools.ts";
import { base64, kubeconfigText, makeFolder } from "./kubeconfig-files.ts";
import { type Listening, startSecureServer } from "./strange-servers.ts";

const tool = kubectl();
const lack = whatLacks(tool);
const folder = makeFolder();
afterAll(() => folder.remove());

type View = {
  clusters: { cluster: Record<string, unknown> }[];
  users: { user: Record<string, string> | null }[];
};

describe.skipIf(lack.some)(`kubeconfigs as kubectl reads them${lack.words}`, () => {
  let authority: Authority;
  let client: Issued;

  beforeAll(async () => {
    authority = await createAuthority("test");
    client = await authority.issue({ commonName: "system:node:n1", usages: ["client"] });
    folder.write("ca.crt", authority.certificate);
    folder.write("sub/client.pem", client.certificate + client.key);
    folder.write("sub/client.crt", client.certificate);
    folder.write("sub/client.key", client.key);
  });

  const run = (args: string[], env: Record<string, string>) => {
    const options = {
      env: { HOME: folder.path, ...env },
      extendEnv: false,
      reject: false,
      stdin: "ignore",
    } as const;
    return execa(tool.path ?? "", args, options);
  };

  async function compare(choice: { kubeconfig?: string; KUBECONFIG?: string }): Promise<Connection> {
    const env = choice.KUBECONFIG === undefined ? {} : { KUBECONFIG: choice.KUBECONFIG };
    const chosen = choice.kubeconfig === undefined ? [] : ["--kubeconfig", choice.kubeconfig];
    const { stdout } = await run(
      ["config", "view", "--raw", "--minify", "--flatten", "-o", "json", ...chosen],
      env,
    );
    const view = JSON.parse(stdout) as View;
    const cluster = view.clusters[0]?.cluster ?? {};
    const user = view.users[0]?.user ?? {};
    const decode = (text: unknown) =>
      typeof text === "string" ? Buffer.from(text, "base64").toString() : undefined;
    const connection = await readConnection({ ...choice, env: { ...env, SSL_CERT_FILE: "/none" } });
    expect({ ...connection, origin: undefined }).toEqual({
      server: String(cluster["server"]).replace(/\/$/, ""),
      ca: decode(cluster["certificate-authority-data"]),
      serverName: cluster["tls-server-name"],
      insecure: cluster["insecure-skip-tls-verify"] ?? false,
      proxy: cluster["proxy-url"],
      cert: decode(user["client-certificate-data"]),
      key: decode(user["client-key-data"]),
      token: user["token"],
    });
    return connection;
  }

  const forms = (): Record<string, { cluster?: object; user?: object }> => ({
    "files relative to the kubeconfig": {
      cluster: { "certificate-authority": "./ca.crt" },
      user: { "client-certificate": "sub/client.crt", "client-key": "sub/../sub/client.key" },
    },
    "the kubelet's one file": {
      cluster: { "certificate-authority": "ca.crt" },
      user: { "client-certificate": "sub/client.pem", "client-key": "sub/client.pem" },
    },
    "inline data": {
      cluster: {
        "certificate-authority-data": base64(authority.certificate),
        server: "https://a.example/k8s/c-1/",
      },
      user: { "client-certificate-data": base64(client.certificate), "client-key-data": base64(client.key) },
    },
    "a token": {
      cluster: { "tls-server-name": "kubernetes", "proxy-url": "http://p:1" },
      user: { token: "abc.d-e_f" },
    },
    "no credentials": { cluster: { "insecure-skip-tls-verify": true } },
  });

  it("every form of a cluster and a user", async () => {
    for (const [name, parts] of Object.entries(forms())) {
      const kubeconfig = folder.write(`form ${name}`, kubeconfigText(parts));
      expect((await compare({ kubeconfig })).origin).toBe(`${kubeconfig}, context prod`);
    }
  });

  it("several files in $KUBECONFIG, in both orders", async () => {
    const first = folder.write(
      "first",
      `
current-context: one
contexts: [{name: one, context: {cluster: c, user: u}}, {name: two, context: {cluster: c, user: v}}]
clusters: [{name: c, cluster: {server: "https://first:1", certificate-authority: ca.crt}}]
users: [{name: v, user: {token: v-first}}]
`,
    );
    const second = folder.write(
      "sub/second",
      `
current-context: two
contexts: [{name: one, context: {cluster: c, user: v}}]
clusters: [{name: c, cluster: {server: "https://second:1", certificate-authority: ../ca.crt}}]
users: [{name: u, user: {client-certificate: client.crt, client-key: client.key}}, {name: v, user: {token: v-second}}]
`,
    );
    expect(await compare({ KUBECONFIG: `${first}:/none:${second}` })).toMatchObject({
      server: "https://first:1",
      cert: client.certificate,
    });
    expect(await compare({ KUBECONFIG: `:${second}::${first}` })).toMatchObject({
      server: "https://second:1",
      token: "v-second",
    });
  });

  describe("on the wire", () => {
    type Seen = { authorization?: string | undefined; subject?: string | undefined };
    let server: Listening;
    let seen: Seen[] = [];

    beforeAll(async () => {
      server = await startSecureServer(authority, (request, response) => {
        const { subject } = (request.socket as TLSSocket).getPeerCertificate() ?? {};
        const common = subject?.CN;
        seen.push({
          authorization: request.headers.authorization,
          subject: typeof common === "string" ? common : undefined,
        });
        if (request.url !== "/api/v1/nodes/a") seen.pop();
        response.writeHead(200, { "content-type": "application/json" }).end('{"kind":"Node"}');
      });
    });
    afterAll(() => server.close());

    async function see(user: object): Promise<Seen[]> {
      const cluster = { server: `https://127.0.0.1:${server.port}`, "certificate-authority": "ca.crt" };
      const kubeconfig = folder.write("wire", kubeconfigText({ cluster, user }));
      seen = [];
      await run(["get", "--raw", "/api/v1/nodes/a", "--kubeconfig", kubeconfig], { PATH: "/usr/bin:/bin" });
      const connection = await readConnection({ kubeconfig, env: { PATH: "/usr/bin:/bin" } });
      const answer = await get(connection, "/api/v1/nodes/a", {
        deadline: Date.now() + 5000,
        maxBytes: 1000,
      });
      expect(answer).toEqual({ kind: "object", body: { kind: "Node" } });
      expect(seen).toHaveLength(2);
      return seen;
    }

    const plugin = (token: string) => {
      const credential = {
        apiVersion: "client.authentication.k8s.io/v1",
        kind: "ExecCredential",
        status: { token },
      };
      const info = `${folder.path}/info`;
      const script = `#!/bin/sh\necho "$KUBERNETES_EXEC_INFO" >> ${info}\necho '${JSON.stringify(credential)}'\n`;
      folder.write("plugin", script, 0o755);
      const exec = {
        apiVersion: credential.apiVersion,
        command: "./plugin",
        interactiveMode: "Never",
        provideClusterInfo: true,
      };
      return { info, exec };
    };

    it.each([
      ["tokenFile beside token", () => ({ token: "old", tokenFile: folder.write("token", " new\n") })],
      ["an absent tokenFile beside token", () => ({ token: "old", tokenFile: "/none" })],
      [
        "certificate and token",
        () => ({ "client-certificate": "sub/client.pem", "client-key": "sub/client.pem", token: "abc" }),
      ],
      ["an exec plugin", () => ({ exec: plugin("from-exec").exec })],
      ["an exec plugin beside a token", () => ({ token: "static", exec: plugin("from-exec").exec })],
    ])("both show the same credentials: %s", async (_, user) => {
      const [theirs, ours] = await see(user());
      expect(ours).toEqual(theirs);
    });

    it("both tell an exec plugin the same", async () => {
      const { info, exec } = plugin("abc");
      folder.write("info", "");
      await see({ exec });
      const lines = readFileSync(info, "utf8").trim().split(/\n+/);
      expect(lines.length).toBeGreaterThan(1);
      expect(JSON.parse(lines.at(-1) ?? "")).toEqual(JSON.parse(lines[0] ?? ""));
    });

    const access = () => ({ server: `https://127.0.0.1:${server.port}`, "certificate-authority": "ca.crt" });
    const text = (user: object = { token: "abc" }) => kubeconfigText({ cluster: access(), user });

    it.each([
      ["an unknown context", () => text().replace("current-context: prod", "current-context: other")],
      ["an unknown cluster", () => text().replace("cluster: prod", "cluster: other")],
      ["an unknown user", () => text().replace("user: prod", "user: other")],
      ["a numeric token", () => text({ token: 123 })],
      ["a name twice", () => `${text()}  - name: prod\n    user: {}\n`],
      ["another kind", () => text().replace("kind: Config", "kind: Pod")],
      ["an open bracket", () => `${text()}x: [`],
      ["a token and a password", () => text({ token: "abc", username: "a", password: "b" })],
      ["a certificate without a key", () => text({ "client-certificate": "sub/client.crt" })],
      ["an auth-provider", () => text({ "auth-provider": { name: "gcp" } })],
      ["an absent authority", () => text().replace("ca.crt", "none.crt")],
      [
        "an authority for an insecure server",
        () =>
          text().replace(
            "    cluster:\n      server",
            "    cluster:\n      insecure-skip-tls-verify: true\n      server",
          ),
      ],
    ])("both refuse %s, and ask nothing", async (_, broken) => {
      const ask = (kubeconfig: string) =>
        run(["get", "--raw", "/api/v1/nodes/a", "--kubeconfig", kubeconfig], {});
      expect((await ask(folder.write("whole", text()))).exitCode).toBe(0);
      seen = [];
      const kubeconfig = folder.write("refused", broken());
      expect((await ask(kubeconfig)).exitCode).not.toBe(0);
      expect(seen).toEqual([]);
      await expect(readConnection({ kubeconfig, env: {} })).rejects.toMatchObject({ code: 7 });
    });
  });
});
