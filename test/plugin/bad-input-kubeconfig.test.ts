import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { testFolder } from "../host/folder.ts";
import { createAuthority } from "../parts/certificates.ts";
import {
  call,
  canary,
  copyOfData,
  expectDiscretion,
  expectError,
  expectSuccess,
  logOf,
} from "./bad-input.ts";
import { checkRows, describeEverywhere, type Row } from "./bad-input-suite.ts";
import { base64, client, cluster, exec, kubeconfig, user } from "./bad-kubeconfig.ts";

const secret = base64(`-----BEGIN PRIVATE KEY-----\n${base64(canary)}\n-----END PRIVATE KEY-----\n`);
const notKnown = /the Node's address ranges are not known/;
const file = /\/own-kubeconfig/;

const rows: Row[] = [
  [
    "absent",
    { ipam: { kubeconfig: "/absent/kubeconfig" }, network: { name: "unknown" } },
    7,
    [notKnown, /the kubeconfig \/absent\/kubeconfig is absent: make it, or name another/],
    "nothing to free",
    "sample",
  ],
  [
    "absent in $KUBECONFIG",
    { ipam: { kubeconfig: null }, env: { KUBECONFIG: "/absent/a:/absent/b" }, network: { name: "unknown" } },
    7,
    [notKnown, /\$KUBECONFIG: \/absent\/a, \/absent\/b is absent/],
    "nothing to free",
  ],
  [
    "a folder",
    (_, folder) => {
      mkdirSync(join(folder, "own-kubeconfig"));
      return { ipam: { kubeconfig: join(folder, "own-kubeconfig") }, network: { name: "unknown" } };
    },
    7,
    [notKnown, file, /it is a folder/],
    "nothing to free",
  ],
  ["empty", kubeconfig(""), 7, [notKnown, file, /current-context is missing/], "nothing to free"],
  [
    "no YAML",
    kubeconfig(`users:\n- name: a\n  user: {token: "${canary}\n`),
    7,
    [notKnown, file, /line \d+, column \d+/, /a kubeconfig is YAML or JSON/],
    "nothing to free",
    "sample",
  ],
  [
    "tabs",
    kubeconfig(`users:\n\t- token: ${canary}\n`),
    7,
    [file, /line 2, column \d+: tabs/],
    "nothing to free",
  ],
  ["a list", kubeconfig(`- ${canary}`), 7, [file, /expected a mapping, found an array/], "nothing to free"],
  [
    "another thing of Kubernetes",
    kubeconfig("kind: Pod"),
    7,
    [file, /kind: expected Config/],
    "nothing to free",
  ],
  [
    "an unknown context",
    kubeconfig((good) => {
      good["current-context"] = "prod";
    }),
    7,
    [file, /current-context "prod" is not among contexts \(test\)/],
    "nothing to free",
  ],
  [
    "no server",
    cluster({ server: null }),
    7,
    [file, /clusters\[0\]\.cluster\.server is missing/],
    "nothing to free",
  ],
  [
    "a server of another kind",
    cluster({ server: "ftp://a" }),
    7,
    [file, /server: expected https:/],
    "nothing to free",
  ],
  [
    "an authority that is none",
    cluster({ "certificate-authority-data": base64("fish") }),
    7,
    [file, /certificate-authority-data/],
    "nothing to free",
  ],
  [
    "an authority whose file is absent",
    cluster({ "certificate-authority-data": null, "certificate-authority": "/absent/ca" }),
    7,
    [file, /certificate-authority/, /\/absent\/ca/],
    "nothing to free",
  ],
  [
    "a certificate without its key",
    user({ "client-certificate": "/absent/cert" }),
    7,
    [file, /users\[0\]\.user\.client-/],
    "nothing to free",
  ],
  [
    "a key alone",
    user({ "client-key-data": secret }),
    7,
    [file, /client-certificate is missing/],
    "nothing to free",
  ],
  [
    "a key that is none",
    user({ "client-key-data": base64(canary), "client-certificate-data": base64(canary) }),
    7,
    [file, /client-key-data/],
    "nothing to free",
  ],
  [
    "a password",
    user({ username: "a", password: canary }),
    7,
    [file, /no passwords since/],
    "nothing to free",
  ],
  [
    "a token of two lines",
    user({ token: `${canary}\nb` }),
    7,
    [file, /token: a token is one word/],
    "nothing to free",
  ],
  [
    "a token file that is absent",
    user({ tokenFile: "/absent/token" }),
    7,
    [file, /tokenFile/],
    "nothing to free",
  ],
  [
    "a credential plugin that is absent",
    user({
      exec: { apiVersion: "client.authentication.k8s.io/v1", command: "/absent/x", interactiveMode: "Never" },
    }),
    7,
    [file, /users\[0\]\.user\.exec\.command: there is no program "\/absent\/x"/],
    "nothing to free",
  ],
  [
    "a credential plugin that fails",
    exec(`echo ${canary}; echo ${canary} >&2; exit 3`),
    11,
    [notKnown, file, /failed with exit code 3/, /run it by hand/],
    "nothing to free",
    "sample",
  ],
  [
    "a credential plugin that prints rubbish",
    exec(`echo ${canary}`),
    11,
    [/did not print JSON/],
    "nothing to free",
  ],
  [
    "a credential plugin that gives no credentials",
    exec(
      `echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"x":"${canary}"}}'`,
    ),
    11,
    [/gave neither a token nor a certificate/],
    "nothing to free",
  ],
  [
    "a credential plugin that hangs",
    exec(`echo ${canary}; sleep 30`),
    11,
    [/did not end in time/],
    "nothing to free",
  ],
  [
    "a token that nobody knows",
    user({ token: `${canary}-token` }),
    11,
    [notKnown, /does not accept the credentials of .*own-kubeconfig, context test \(401\)/],
    "nothing to free",
    "sample",
  ],
  [
    "a client certificate that has expired",
    client(async ({ server }) => {
      const { client } = await server.credentialsFor({ kind: "kubelet", node: "node-a", expired: true });
      return client ?? { certificate: "", key: "" };
    }),
    11,
    [notKnown, /\(401\): the client certificate expired on/],
    "nothing to free",
  ],
  [
    "a client certificate of another cluster",
    client(async () => {
      const authority = await createAuthority("other");
      return authority.issue({
        commonName: "system:node:node-a",
        organizations: ["system:nodes"],
        usages: ["client"],
      });
    }),
    11,
    [notKnown, /\(401\): they may be revoked, outdated, or another cluster's/],
    "nothing to free",
  ],
  [
    "an authority of another cluster",
    kubeconfig(async (good) => {
      const { certificate } = await createAuthority("test-authority");
      Object.assign(good.clusters[0]?.cluster ?? {}, { "certificate-authority-data": base64(certificate) });
    }),
    11,
    [notKnown, /a certificate of an unknown authority/, /another cluster's, or outdated/],
    "nothing to free",
  ],
  [
    "a proxy that isn't there, with a password",
    cluster({ "proxy-url": `http://${canary}:${canary}@127.0.0.1:1` }),
    11,
    [notKnown, /through the proxy 127\.0\.0\.1:1/],
    "nothing to free",
  ],
];

describeEverywhere("what is wrong with the kubeconfig, nothing else being known", (world, isSample) => {
  checkRows(world, rows, isSample);
});

describeEverywhere("a broken kubeconfig, where ranges are known", (world) => {
  it.each<[string, string]>([
    ["absent", ""],
    ["no YAML", `users: [{token: "${canary}`],
    ["without a context", "kind: Config"],
  ])("%s: ADD goes on with them and warns, DEL works", async (_, text) => {
    const folder = testFolder();
    const kubeconfig = join(folder, "own-kubeconfig");
    if (text !== "") writeFileSync(kubeconfig, text, { mode: 0o600 });
    const dataDir = copyOfData(world(), folder);
    const bad = { ipam: { kubeconfig, cacheTTL: 0 } };
    const added = await call(world(), "ADD", "c-new", bad, dataDir);
    expectSuccess(world(), added);
    expect(added.json).toMatchObject({ ips: [{ address: "10.1.2.3/24" }, { address: "fd00:1::3/64" }] });
    expect(logOf(dataDir)).toMatch(
      /"level":40.*"reason":"[^"]*own-kubeconfig.*"msg":"API server not available, going on with last-known ranges"/,
    );
    expectDiscretion(world(), added, logOf(dataDir));
    expectSuccess(world(), await call(world(), "DEL", "c-new", bad, dataDir));
    expectError(
      world(),
      await call(world(), "ADD", "c1", { ...bad, network: { name: "unknown" } }, dataDir),
      7,
      [file],
    );
  });
});
