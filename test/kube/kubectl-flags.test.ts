import { readFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import type { TLSSocket } from "node:tls";
import { Command } from "commander";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createClient } from "../../src/kube/client.ts";
import { readKubectlConnection } from "../../src/kube/kubectl-connection.ts";
import { addGlobalFlags, overridesOf } from "../../src/kubectl/global-flags.ts";
import { type Authority, createAuthority, type Issued } from "../parts/certificates.ts";
import { kubectl, whatLacks } from "../parts/tools.ts";
import { kubeconfigText, makeFolder } from "./kubeconfig-files.ts";
import { type Listening, startProxy, startSecureServer } from "./strange-servers.ts";

const tool = kubectl();
const lack = whatLacks(tool);
const folder = makeFolder();
afterAll(() => folder.remove());

const path = "/api/v1/nodes/a";
const shown = ["authorization", "impersonate-user", "impersonate-uid", "impersonate-group"];

describe.skipIf(lack.some)(`kubectl's flags${lack.words}`, () => {
  let authority: Authority;
  let other: Authority;
  let server: Listening;
  let strange: Listening;
  let seen: object[] = [];

  beforeAll(async () => {
    authority = await createAuthority("test");
    other = await createAuthority("other");
    const issue = (commonName: string): Promise<Issued> =>
      authority.issue({ commonName, usages: ["client"] });
    for (const name of ["jane", "joe"]) {
      const { certificate, key } = await issue(name);
      folder.write(`${name}.crt`, certificate);
      folder.write(`${name}.key`, key);
    }
    folder.write("ca.crt", authority.certificate);
    folder.write("other.crt", other.certificate);
    folder.write("token", "from-a-file\n");
    const handle =
      (name: string): RequestListener =>
      (request, response) => {
        const { subject } = (request.socket as TLSSocket).getPeerCertificate() ?? {};
        const headers = Object.entries(request.headers).filter(([key]) => shown.includes(key));
        if (request.url === path)
          seen.push({ server: name, subject: subject?.CN, ...Object.fromEntries(headers) });
        response.writeHead(200, { "content-type": "application/json" }).end('{"kind":"Node"}');
      };
    server = await startSecureServer(authority, handle("main"));
    strange = await startSecureServer(other, handle("other"), {
      certificate: { ipAddresses: [], dnsNames: ["elsewhere"] },
    });
    folder.write("config", text());
  });
  afterAll(() => {
    server.close();
    strange.close();
  });
  beforeEach(() => {
    seen = [];
  });

  /** Two contexts, clusters and users; `main` is the current one. */
  const text = () => `
apiVersion: v1
kind: Config
current-context: main
contexts:
- {name: main, context: {cluster: main, user: jane, namespace: apps}}
- {name: tokens, context: {cluster: main, user: token}}
- {name: strange, context: {cluster: strange, user: file}}
- {name: acting, context: {cluster: main, user: acting}}
clusters:
- {name: main, cluster: {server: "https://127.0.0.1:${server.port}", certificate-authority: ca.crt}}
- {name: strange, cluster: {server: "https://127.0.0.1:${strange.port}", certificate-authority: other.crt, tls-server-name: elsewhere}}
- {name: named, cluster: {server: "https://127.0.0.1:${server.port}", certificate-authority: ca.crt, tls-server-name: nobody}}
users:
- {name: jane, user: {client-certificate: jane.crt, client-key: jane.key}}
- {name: token, user: {token: abc}}
- {name: file, user: {tokenFile: token}}
- {name: acting, user: {token: abc, as: joe, as-groups: [devs]}}
`;

  const env = () => ({ HOME: folder.path, PATH: "/usr/bin:/bin", KUBECONFIG: `${folder.path}/config` });

  async function theirs(flags: string[], environment: Record<string, string>) {
    const options = {
      env: environment,
      extendEnv: false,
      reject: false,
      stdin: "ignore",
      cwd: folder.path,
    } as const;
    return (await execa(tool.path ?? "", ["get", "--raw", path, ...flags], options)).exitCode === 0;
  }

  async function ours(flags: string[], environment: Record<string, string>) {
    const program = addGlobalFlags(new Command()).exitOverride().parse(flags, { from: "user" });
    const before = process.cwd();
    process.chdir(folder.path);
    try {
      const { connection, impersonation } = await readKubectlConnection(
        overridesOf(program.opts()),
        environment,
      );
      const client = await createClient(connection, { ...(impersonation && { impersonation }) });
      await client.get(path);
      client.close();
      return true;
    } catch {
      return false;
    } finally {
      process.chdir(before);
    }
  }

  const own = () => `https://127.0.0.1:${server.port}`;
  const far = () => `https://127.0.0.1:${strange.port}`;

  it.each<[string, () => string[]]>([
    ["none", () => []],
    ["--context", () => ["--context", "tokens"]],
    ["--context of another server, with a name of its own", () => ["--context=strange"]],
    ["--user", () => ["--user=token"]],
    ["--cluster", () => ["--cluster=strange"]],
    ["--kubeconfig, relative to the working folder", () => ["--kubeconfig=config", "--context=tokens"]],
    ["--server", () => ["--context=strange", `--server=${own()}`, "--certificate-authority=ca.crt"]],
    ["-s", () => ["-s", own(), "--context=main"]],
    ["--token beside a certificate", () => ["--token=xyz"]],
    ["a certificate in the place of another", () => ["--client-certificate=joe.crt", "--client-key=joe.key"]],
    [
      "--insecure-skip-tls-verify",
      () => ["--context=strange", "--certificate-authority=", "--insecure-skip-tls-verify"],
    ],
    ["--insecure-skip-tls-verify where there is an authority", () => ["--insecure-skip-tls-verify"]],
    ["--tls-server-name", () => ["--cluster=named", "--tls-server-name=kubernetes"]],
    ["--as, --as-uid, --as-group", () => ["--as=joe", "--as-uid=7", "--as-group=devs"]],
    ["the kubeconfig's own impersonation", () => ["--context=acting"]],
    ["another than the kubeconfig's own impersonation", () => ["--context=acting", "--as=ann"]],
    [
      "nothing but a server",
      () => ["--kubeconfig=empty", `--server=${own()}`, "--certificate-authority=ca.crt", "--token=t"],
    ],
  ])("%s: the server sees the same from both", async (_, flags) => {
    folder.write("empty", "apiVersion: v1\nkind: Config\n");
    expect([await theirs(flags(), env()), await ours(flags(), env())]).toEqual([true, true]);
    expect(seen).toHaveLength(2);
    expect(seen[1]).toEqual(seen[0]);
  });

  it.each<[string, () => string[]]>([
    ["an unknown context", () => ["--context=none"]],
    ["an unknown cluster", () => ["--cluster=none"]],
    ["an unknown user", () => ["--user=none"]],
    ["a kubeconfig that isn't there", () => ["--kubeconfig=none"]],
    ["another server than the authority knows", () => [`--server=${far()}`]],
    ["a server name that the certificate hasn't", () => ["--tls-server-name=nobody"]],
    [
      "an authority and no verification",
      () => ["--certificate-authority=ca.crt", "--insecure-skip-tls-verify"],
    ],
    ["a certificate without a key", () => ["--context=tokens", "--client-certificate=joe.crt"]],
    ["a group to act as, but no user", () => ["--as-group=devs"]],
    ["an authority that isn't there", () => ["--certificate-authority=none.crt"]],
  ])("%s: both refuse", async (_, flags) => {
    expect([await theirs(flags(), env()), await ours(flags(), env())]).toEqual([false, false]);
    expect(seen).toEqual([]);
  });

  it("--token wins over a token file, which kubectl would show in its place", async () => {
    const flags = ["--context=strange", "--token=xyz"];
    expect([await theirs(flags, env()), await ours(flags, env())]).toEqual([true, true]);
    expect(seen).toMatchObject([{ authorization: "Bearer from-a-file" }, { authorization: "Bearer xyz" }]);
  });

  it("the namespace is that of -n, else of the context, else default", async () => {
    const namespaceOf = async (...flags: string[]) => {
      const program = addGlobalFlags(new Command()).parse(flags, { from: "user" });
      return (await readKubectlConnection(overridesOf(program.opts()), env())).namespace;
    };
    expect([
      await namespaceOf(),
      await namespaceOf("-n", "x"),
      await namespaceOf("--context=tokens"),
    ]).toEqual(["apps", "x", "default"]);
  });

  it("an exec plugin of the kubeconfig is asked, and its words come to stderr, not into ours", async () => {
    const credential = {
      apiVersion: "client.authentication.k8s.io/v1",
      kind: "ExecCredential",
      status: { token: "from-exec" },
    };
    folder.write(
      "plugin",
      `#!/bin/sh\necho "$KUBERNETES_EXEC_INFO" >> ${folder.path}/info\necho '${JSON.stringify(credential)}'\n`,
      0o755,
    );
    const exec = { apiVersion: credential.apiVersion, command: "./plugin", interactiveMode: "IfAvailable" };
    folder.write(
      "exec",
      kubeconfigText({ cluster: { server: own(), "certificate-authority": "ca.crt" }, user: { exec } }),
    );
    const flags = [`--kubeconfig=${folder.path}/exec`];
    expect([await theirs(flags, env()), await ours(flags, env())]).toEqual([true, true]);
    expect(seen[1]).toEqual(seen[0]);
    const infos = readFileSync(`${folder.path}/info`, "utf8")
      .trim()
      .split(/\n+/)
      .map((line) => JSON.parse(line) as object);
    expect(infos.at(-1)).toEqual(infos[0]);
  });

  it("a proxy of the kubeconfig is used", async () => {
    const proxy = await startProxy();
    folder.write(
      "proxied",
      text().replaceAll(
        "certificate-authority: ca.crt",
        `certificate-authority: ca.crt, proxy-url: "http://127.0.0.1:${proxy.port}"`,
      ),
    );
    const flags = [`--kubeconfig=${folder.path}/proxied`];
    expect([await theirs(flags, env()), await ours(flags, env())]).toEqual([true, true]);
    expect(proxy.asked).toHaveLength(2);
    proxy.close();
  });
});
