import { chmodSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { base64, kubeconfigText, makeFolder } from "./kubeconfig-files.ts";
import { type KubeProcess, runtimes, startKube } from "./runtimes.ts";

const canary = "c4n4ry-s3cr3t";
const folder = makeFolder();
afterAll(() => folder.remove());

const pem = (what: string, body = base64(canary)) =>
  `-----BEGIN ${what}-----\n${body}\n-----END ${what}-----\n`;
const certificate = base64(pem("CERTIFICATE"));
const key = base64(pem("PRIVATE KEY"));

const user = (values: object) => kubeconfigText({ user: values });
const cluster = (values: object) => kubeconfigText({ cluster: values, user: { token: canary } });
const exec = (values: object) =>
  user({
    exec: {
      apiVersion: "client.authentication.k8s.io/v1",
      interactiveMode: "Never",
      command: "x",
      ...values,
    },
  });
const lists = `
current-context: prod
contexts: [{name: dev, context: {}}, {name: test, context: {}}, {name: prod, context: {cluster: prod, user: prod}}]
clusters: [{name: dev, cluster: {}}, {name: test, cluster: {}}]
users: []
`;

// What is in the file; what the error says after the file's name; what it says to do.
const cases: Record<string, [text: string, message: string, details?: string]> = {
  "a syntax error": [
    `a: b\nusers:\n- ${canary}: [x\n`,
    "line 4, column 1: the indentation is wrong, or a bracket before is not closed",
  ],
  "bad indentation": [
    `a:\n  - ${canary}\n - c\n`,
    "line 3, column 1: there is a second key or list where only a value can stand",
  ],
  "a tab": [`a:\n\tb: ${canary}\n`, "line 2, column 1: tabs can't indent, only blanks can"],
  "an open quote": [`a: "${canary}\n`, "line 2, column 1: a quote, a bracket, a colon or a blank is missing"],
  "a reserved character": [
    `a: 1\nb: @${canary}`,
    "line 2, column 4: the value begins with a character that only a value in quotes can begin with",
  ],
  "an unknown alias": [`a: *${canary}`, "it is malformed, or an alias (*) has no anchor (&)"],
  "two documents": [
    `a: 1\n---\nb: ${canary}\n`,
    "line 2, column 1: a second document begins, but there must be one only",
  ],
  "a text": [canary, "expected a mapping, found a string", "it is no kubeconfig"],
  "a list": [`- ${canary}`, "expected a mapping, found an array"],
  nothing: [
    "",
    "current-context is missing",
    "choose one with kubectl config use-context NAME: there are no contexts",
  ],
  "another kind": ["kind: Pod", 'kind: expected Config, found "Pod"', "it is no kubeconfig"],
  "another apiVersion": ["apiVersion: v2", 'apiVersion: expected v1, found "v2"'],
  "no current-context": [
    lists.replace("current-context: prod", ""),
    "current-context is missing",
    'choose one with kubectl config use-context NAME: "dev", "test", "prod"',
  ],
  "an unknown context": [
    lists.replace("prod", "prood"),
    'current-context "prood" is not among contexts (dev, test, prod)',
  ],
  "an unknown cluster": [lists, 'contexts[2].context.cluster "prod" is not among clusters (dev, test)'],
  "an unknown user": [
    lists.replace("users", "ignored").replace("name: test, cluster", "name: prod, cluster"),
    'contexts[2].context.user "prod" is not among users (there are none)',
  ],
  "a context without cluster": [
    lists.replace("cluster: prod, ", ""),
    "contexts[2].context.cluster is missing",
  ],
  "a context without a name": [
    "current-context: a\ncontexts: [{context: {}}]",
    "contexts[0].name is missing",
  ],
  "a name twice": [
    "current-context: a\ncontexts: [{name: a}, {name: a}]",
    'contexts[1].name "a" is there twice',
    "kubectl refuses it, too",
  ],
  "contexts that are no list": [
    "current-context: a\ncontexts: {a: b}",
    "contexts: expected a list, found an object",
  ],
  "a context that is none": [
    "current-context: a\ncontexts: [a]",
    "contexts[0]: expected a mapping, found a string",
  ],
  "a context's content that is none": [
    "current-context: a\ncontexts: [{name: a, context: b}]",
    "contexts[0].context: expected a mapping, found a string",
  ],
  "a numeric name": [
    "current-context: 1",
    "current-context: expected a string, found a number",
    "put it in quotes",
  ],
  "a numeric token": [
    user({ token: 123 }),
    "users[0].user.token: expected a string, found a number",
    "put it in quotes",
  ],
  "a token of several words": [
    user({ token: `${canary} ${canary}` }),
    "users[0].user.token: a token is one word of ASCII characters",
  ],
  "a token that is a list": [
    user({ token: [canary] }),
    "users[0].user.token: expected a string, found an array",
    "",
  ],
  "an absent tokenFile": [
    user({ tokenFile: "none" }),
    `users[0].user.tokenFile: ${folder.path}/none is absent`,
  ],
  "an empty tokenFile": [user({ tokenFile: "/dev/null" }), "users[0].user.tokenFile: the file is empty"],
  "a tokenFile that is a folder": [
    user({ tokenFile: "/proc" }),
    "users[0].user.tokenFile: /proc can't be read: it is a folder",
  ],
  "an absent certificate": [
    user({ "client-certificate": "/none.crt", "client-key-data": key }),
    "users[0].user.client-certificate: /none.crt is absent",
  ],
  "a certificate without a key": [
    user({ "client-certificate-data": certificate }),
    "users[0].user.client-key is missing, but client-certificate is there",
  ],
  "a key without a certificate": [
    user({ "client-key-data": key }),
    "users[0].user.client-certificate is missing, but client-key is there",
  ],
  "a certificate that isn't base64": [
    user({ "client-certificate-data": `%${canary}`, "client-key-data": key }),
    "users[0].user.client-certificate-data: expected base64 of a PEM text",
    "is a part of it missing?",
  ],
  "a key that is PEM itself": [
    user({ "client-certificate-data": certificate, "client-key-data": pem("PRIVATE KEY") }),
    "users[0].user.client-key-data: expected base64 of a PEM text",
    "it is PEM text itself: encode it with base64 -w0",
  ],
  "base64 of no PEM text": [
    user({ "client-certificate-data": base64(canary), "client-key-data": key }),
    "users[0].user.client-certificate-data: expected PEM text with -----BEGIN CERTIFICATE-----",
    "is it a DER file, or cut off?",
  ],
  "key and certificate in each other's place": [
    user({ "client-certificate-data": certificate, "client-key-data": certificate }),
    "users[0].user.client-key-data: expected PEM text with -----BEGIN PRIVATE KEY-----",
  ],
  "an encrypted key": [
    user({ "client-certificate-data": certificate, "client-key-data": base64(pem("ENCRYPTED PRIVATE KEY")) }),
    "users[0].user.client-key-data: the private key is encrypted",
  ],
  "a password": [
    user({ username: "admin", password: canary }),
    "users[0].user.username: API servers know no passwords since Kubernetes 1.19",
    "use a client certificate, a token or an exec plugin",
  ],
  "an auth-provider": [
    user({ "auth-provider": { name: "gcp", config: { "access-token": canary } } }),
    "users[0].user.auth-provider is no longer supported, nor is it by kubectl since 1.26",
    "use an exec plugin",
  ],
  impersonation: [
    user({ token: canary, as: "system:admin" }),
    "users[0].user.as: impersonation isn't supported here",
    "give the plugin a user of its own",
  ],
  "no server": [
    cluster({ server: "" }),
    "clusters[0].cluster.server is missing",
    "expected https://HOST:PORT",
  ],
  "a server that is none": [
    cluster({ server: "https://" }),
    "clusters[0].cluster.server: expected https://HOST:PORT",
  ],
  "a server of another scheme": [
    cluster({ server: "ftp://a" }),
    "clusters[0].cluster.server: expected https://HOST:PORT",
  ],
  "a server with a password": [
    cluster({ server: `https://admin:${canary}@a` }),
    "clusters[0].cluster.server: an address with user and password",
  ],
  "a flag in words": [
    cluster({ "insecure-skip-tls-verify": "yes" }),
    "clusters[0].cluster.insecure-skip-tls-verify: expected true or false, found a string",
  ],
  "an authority for an insecure server": [
    cluster({ "insecure-skip-tls-verify": true, "certificate-authority-data": certificate }),
    "clusters[0].cluster.insecure-skip-tls-verify is true beside certificate-authority",
  ],
  "a SOCKS proxy": [
    cluster({ "proxy-url": `socks5://u:${canary}@p:1` }),
    "clusters[0].cluster.proxy-url: expected http://HOST:PORT or https://HOST:PORT",
    "SOCKS proxies aren't supported here",
  ],
  "a proxy without a scheme": [
    cluster({ "proxy-url": "proxy:3128" }),
    "clusters[0].cluster.proxy-url: expected http://HOST:PORT or https://HOST:PORT",
  ],
  "an exec plugin of an old version": [
    exec({ apiVersion: "client.authentication.k8s.io/v1alpha1" }),
    "users[0].user.exec.apiVersion: expected client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1",
  ],
  "an exec plugin that asks": [
    exec({ interactiveMode: "Always" }),
    "users[0].user.exec.interactiveMode: Always, but nobody is here to be asked",
  ],
  "an exec plugin that doesn't say whether it asks": [
    exec({ interactiveMode: "" }),
    "users[0].user.exec.interactiveMode: expected Never, IfAvailable, Always",
  ],
  "an exec plugin without a command": [exec({ command: "" }), "users[0].user.exec.command is missing"],
  "an absent exec plugin": [
    exec({ command: "no-such", installHint: "get it at\n  https://example\u001b[1m" }),
    'users[0].user.exec.command: there is no program "no-such" in PATH (/none:/none2)',
    "get it at\n  https://example[1m",
  ],
  "an absent exec plugin with a path": [
    exec({ command: "./no-such" }),
    'users[0].user.exec.command: there is no program "./no-such"',
    "",
  ],
  "an exec plugin's variable without a name": [
    exec({ command: "/bin/true", env: [{ value: canary }] }),
    "users[0].user.exec.env[0].name is missing",
  ],
  "an exec plugin's numeric argument": [
    exec({ command: "/bin/true", args: [canary, 1] }),
    "users[0].user.exec.args[1]: expected a string, found a number",
  ],
};

describe.each(runtimes)("a broken kubeconfig under %s", (runtime) => {
  let kube: KubeProcess;
  beforeAll(() => {
    kube = startKube(runtime);
  });
  afterAll(() => kube.stop());

  it.each(Object.entries(cases))("%s", async (name, [text, message, details]) => {
    const kubeconfig = folder.write(`${runtime} ${name.replaceAll("/", " ")}`, text);
    const { error } = await kube.call("readConnection", { kubeconfig, env: { PATH: "/none::/none2" } });
    expect(error).toMatchObject({ code: 7, message: `${kubeconfig}: ${message}` });
    if (details !== undefined) expect(error?.details).toBe(details);
    expect(JSON.stringify(error)).not.toContain(canary);
    expect(JSON.stringify(error)).not.toContain(base64(canary));
  });

  it("that is a folder", async () => {
    const { error } = await kube.call("readConnection", { kubeconfig: folder.path, env: {} });
    expect(error?.message).toBe(`${folder.path}: the kubeconfig can't be read: it is a folder`);
  });

  it.skipIf(process.getuid?.() === 0)("that may not be read (skipped for root, who may)", async () => {
    const kubeconfig = folder.write(`${runtime} unreadable`, kubeconfigText());
    chmodSync(kubeconfig, 0);
    const { error } = await kube.call("readConnection", { kubeconfig, env: {} });
    expect(error?.message).toContain("may not read it");
  });

  it("of several: the error names the file that the part is in", async () => {
    const first = folder.write(
      `${runtime}-first`,
      "current-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]",
    );
    const second = folder.write(
      `${runtime}-second`,
      `clusters: [{name: c, cluster: {server: "https://a"}}]\nusers: [{name: u, user: {token: 1}}]`,
    );
    const { error } = await kube.call("readConnection", { env: { KUBECONFIG: `${first}:${second}` } });
    expect(error?.message).toBe(`${second}: users[0].user.token: expected a string, found a number`);
  });

  it("in-cluster: a token that is none", async () => {
    folder.write(`${runtime}-account/token`, `${canary}\n${canary}\n`);
    const env = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443" };
    const places = { serviceAccount: `${folder.path}/${runtime}-account`, kubelet: [] };
    const { error } = await kube.call("readConnection", { env, places });
    expect(error?.message).toBe(`${places.serviceAccount}/token: a token is one word of ASCII characters`);
  });

  it("a proxy of the environment that can't be used", async () => {
    const kubeconfig = folder.write(`${runtime} proxy`, kubeconfigText());
    const env = { https_proxy: `socks5://u:${canary}@p` };
    const { error } = await kube.call("readConnection", { kubeconfig, env });
    expect(error).toMatchObject({ code: 7, message: "$HTTPS_PROXY names no proxy that can be used here" });
    expect(JSON.stringify(error)).not.toContain(canary);
  });
});
