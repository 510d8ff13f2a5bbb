import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Choice, Connection } from "../../src/kube/connection.ts";
import { type Authority, createAuthority, type Issued } from "../parts/certificates.ts";
import { base64, kubeconfigText, makeFolder } from "./kubeconfig-files.ts";
import { type KubeProcess, runtimes, startKube } from "./runtimes.ts";

let authority: Authority;
let client: Issued;
const folder = makeFolder();
const nowhere = { serviceAccount: `${folder.path}/none`, kubelet: [`${folder.path}/none/kubelet.conf`] };

beforeAll(async () => {
  authority = await createAuthority("test");
  client = await authority.issue({ commonName: "system:node:n1", usages: ["client"] });
  folder.write("pki/client.pem", client.certificate + client.key);
  folder.write("pki/client.crt", client.certificate);
  folder.write("pki/client.key", client.key);
  folder.write("pki/ca.crt", `some words before it\n${authority.certificate}`);
});

afterAll(() => folder.remove());

describe.each(runtimes)("readConnection under %s", (runtime) => {
  let kube: KubeProcess;
  beforeAll(() => {
    kube = startKube(runtime);
  });
  afterAll(() => kube.stop());

  async function read(choice: Partial<Choice>): Promise<Connection> {
    const { value, error } = await kube.call("readConnection", { env: {}, places: nowhere, ...choice });
    if (error) throw new Error(`${error.code} ${error.message} | ${error.details}`);
    return value as Connection;
  }

  let written = 0;
  const readText = (text: string) =>
    read({ kubeconfig: folder.write(`config-${runtime}-${written++}`, text) });
  const readUser = (user: object) => readText(kubeconfigText({ user }));
  const readCluster = (cluster: object) => readText(kubeconfigText({ cluster }));

  describe("takes all forms of a user:", () => {
    it("certificate and key as files relative to the kubeconfig", async () => {
      const user = { "client-certificate": "pki/client.crt", "client-key": "./pki/client.key" };
      expect(await readUser(user)).toMatchObject({ cert: client.certificate, key: client.key });
    });

    it("certificate and key inline, which win over files", async () => {
      const user = {
        "client-certificate": "/none",
        "client-certificate-data": base64(client.certificate),
        "client-key": "/none",
        "client-key-data": base64(client.key).replace(/(.{60})/g, "$1\n"),
      };
      expect(await readUser(user)).toMatchObject({ cert: client.certificate, key: client.key });
    });

    it("the kubelet's one file for both", async () => {
      const path = `${folder.path}/pki/client.pem`;
      const both = client.certificate + client.key;
      expect(await readUser({ "client-certificate": path, "client-key": path })).toMatchObject({
        cert: both,
        key: both,
      });
    });

    it("token, trimmed", async () => {
      expect(await readUser({ token: "abc.def\n" })).toMatchObject({ token: "abc.def" });
    });

    it("tokenFile, read anew at each call, which wins over token", async () => {
      const text = kubeconfigText({ user: { token: "old", tokenFile: `token-${runtime}` } });
      const kubeconfig = folder.write(`with-token-file-${runtime}`, text);
      expect(await read({ kubeconfig })).toMatchObject({ token: "old" });
      folder.write(`token-${runtime}`, "first\n");
      expect(await read({ kubeconfig })).toMatchObject({ token: "first" });
      folder.write(`token-${runtime}`, "second");
      expect(await read({ kubeconfig })).toMatchObject({ token: "second" });
    });

    it("none at all", async () => {
      const connection = await readUser({});
      expect(Object.keys(connection)).not.toContain("token");
      expect(Object.keys(connection)).not.toContain("cert");
    });
  });

  describe("takes all forms of a cluster:", () => {
    it("certificate-authority as a file, and inline", async () => {
      expect((await readCluster({ "certificate-authority": "pki/ca.crt" })).ca).toContain(
        authority.certificate,
      );
      const data = { "certificate-authority-data": base64(authority.certificate) };
      expect(await readCluster(data)).toMatchObject({ ca: authority.certificate, insecure: false });
    });

    it("tls-server-name, insecure-skip-tls-verify, proxy-url", async () => {
      const cluster = {
        "tls-server-name": "kubernetes",
        "insecure-skip-tls-verify": true,
        "proxy-url": "http://p:1",
      };
      const connection = await readCluster(cluster);
      expect(connection).toMatchObject({ serverName: "kubernetes", insecure: true, proxy: "http://p:1" });
      expect(Object.keys(connection)).not.toContain("ca");
    });

    it.each([
      ["https://10.0.0.1:6443/", "https://10.0.0.1:6443"],
      ["https://Rancher.example/k8s/clusters/c-1/", "https://rancher.example/k8s/clusters/c-1"],
      ["https://[fd00::1]:6443", "https://[fd00::1]:6443"],
      ["10.0.0.1:8080", "http://10.0.0.1:8080"],
    ])("server %s", async (server, expected) => {
      expect((await readCluster({ server })).server).toBe(expected);
    });

    it("server without a scheme, https where a certificate authority is named", async () => {
      const cluster = { server: "10.0.0.1:6443", "certificate-authority": "pki/ca.crt" };
      expect((await readCluster(cluster)).server).toBe("https://10.0.0.1:6443");
    });

    it("plain http, without credentials, as kubectl", async () => {
      const text = kubeconfigText({ cluster: { server: "http://127.0.0.1:8001" }, user: { token: "abc" } });
      expect(await readText(text)).not.toHaveProperty("token");
    });

    it("no authority: the system's", async () => {
      const bundle = folder.write("bundle.crt", authority.certificate);
      const kubeconfig = folder.write("no-authority", kubeconfigText());
      expect(await read({ kubeconfig, env: { SSL_CERT_FILE: bundle } })).toMatchObject({
        ca: authority.certificate,
      });
    });
  });

  it("takes JSON, CRLF, a byte order mark, anchors and merge keys", async () => {
    const yaml = kubeconfigText({ user: { token: "abc" } });
    const json = JSON.stringify({
      "current-context": "a",
      contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
      clusters: [{ name: "a", cluster: { server: "https://10.0.0.1:6443" } }],
      users: [{ name: "a", user: { token: "abc" } }],
    });
    const anchors = `
current-context: a
x-user: &user {token: abc}
contexts: [{name: a, context: &both {cluster: a, user: a}}, {name: b, context: *both}]
clusters: [{name: a, cluster: {server: "https://10.0.0.1:6443"}}]
users: [{name: a, user: {<<: *user}}]
`;
    for (const text of [
      yaml,
      json,
      yaml.replaceAll("\n", "\r\n"),
      `\uFEFF${yaml}`,
      `---\n${yaml}`,
      anchors,
    ]) {
      expect(await readText(text)).toMatchObject({ server: "https://10.0.0.1:6443", token: "abc" });
    }
  });

  describe("finds a kubeconfig:", () => {
    const named = (name: string) => kubeconfigText({ name, user: { token: name } });
    const file = (name: string) => folder.write(`find-${runtime}/${name}`, named(name));

    it("the one it is given goes before all others", async () => {
      const env = { KUBECONFIG: file("env"), HOME: folder.path };
      const connection = await read({ kubeconfig: file("given"), env });
      expect(connection).toMatchObject({
        token: "given",
        origin: `${folder.path}/find-${runtime}/given, context given`,
      });
    });

    it("$KUBECONFIG with several files: of each name the first counts, absent files are passed over", async () => {
      const first = folder.write(
        `find-${runtime}/first`,
        `
contexts: [{name: a, context: {cluster: c, user: first}}]
users: [{name: both, user: {token: first}}, {name: first, user: {token: t1, tokenFile: ../t1-${runtime}}}]
`,
      );
      const second = folder.write(
        `find-${runtime}/deep/second`,
        `
current-context: a
contexts: [{name: a, context: {cluster: c, user: both}}, {name: b, context: {cluster: c, user: both}}]
clusters: [{name: c, cluster: {server: "https://second:1", certificate-authority: ../../pki/ca.crt}}]
users: [{name: both, user: {token: second}}]
`,
      );
      folder.write(`t1-${runtime}`, "from-file");
      const KUBECONFIG = `:/none:${first}:${second}:${first}`;
      const connection = await read({ env: { KUBECONFIG } });
      expect(connection).toMatchObject({
        server: "https://second:1",
        token: "from-file",
        origin: `${first}, context a`,
      });
      expect(connection.ca).toContain(authority.certificate);
    });

    it("~/.kube/config", async () => {
      folder.write(`home-${runtime}/.kube/config`, named("home"));
      const env = { KUBECONFIG: "", HOME: `${folder.path}/home-${runtime}` };
      expect(await read({ env })).toMatchObject({ token: "home" });
    });

    describe("in-cluster", () => {
      const env = {
        KUBERNETES_SERVICE_HOST: "fd00::1",
        KUBERNETES_SERVICE_PORT: "443",
        HOME: `${folder.path}/empty`,
      };
      const places = { ...nowhere, serviceAccount: `${folder.path}/account` };

      it("with the ServiceAccount's token, also past an empty ~/.kube/config", async () => {
        folder.write("empty/.kube/config", "apiVersion: v1\nkind: Config\nclusters: null\n");
        folder.write("account/token", "pod-token\n");
        folder.write("account/ca.crt", authority.certificate);
        const expected = { server: "https://[fd00::1]:443", token: "pod-token", ca: authority.certificate };
        expect(await read({ env, places })).toMatchObject({
          ...expected,
          insecure: false,
          origin: "in-cluster",
        });
      });

      it("not without a token", async () => {
        await expect(read({ env })).rejects.toThrow("in-cluster (");
      });
    });

    it("the kubelet's own", async () => {
      const places = { ...nowhere, kubelet: [...nowhere.kubelet, file("kubelet")] };
      expect(await read({ places })).toMatchObject({ token: "kubelet" });
    });

    it("or says where it looked", async () => {
      const { error } = await kube.call("readConnection", { env: { HOME: "/none" }, places: nowhere });
      expect(error).toEqual({
        code: 7,
        message: "no kubeconfig was found",
        details:
          "name one as kubeconfig in the configuration; looked at $KUBECONFIG (not set), /none/.kube/config (absent), " +
          `in-cluster (KUBERNETES_SERVICE_HOST or _PORT is not set), ${nowhere.kubelet[0]} (absent)`,
      });
    });

    it("but not in place of one that is named and absent", async () => {
      const env = { HOME: `${folder.path}/home-${runtime}` };
      await expect(read({ kubeconfig: "/none", env })).rejects.toThrow("7 the kubeconfig /none is absent");
      const KUBECONFIG = "/none/a:/none/b";
      await expect(read({ env: { ...env, KUBECONFIG } })).rejects.toThrow(
        "7 $KUBECONFIG: /none/a, /none/b is absent",
      );
    });
  });

  describe("chooses the proxy", () => {
    it("of the environment, unless the kubeconfig names one", async () => {
      const env = { HTTPS_PROXY: "proxy:3128" };
      expect(await read({ kubeconfig: folder.write("p1", kubeconfigText()), env })).toMatchObject({
        proxy: "http://proxy:3128",
      });
      const own = kubeconfigText({ cluster: { "proxy-url": "http://own:1" } });
      expect(
        await read({ kubeconfig: folder.write("p2", own), env: { ...env, NO_PROXY: "*" } }),
      ).toMatchObject({
        proxy: "http://own:1",
      });
      expect(
        await read({
          kubeconfig: folder.write("p3", kubeconfigText()),
          env: { ...env, NO_PROXY: "10.0.0.0/8" },
        }),
      ).not.toHaveProperty("proxy");
    });
  });
});
