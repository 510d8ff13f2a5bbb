import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuthority, type Issued } from "../parts/certificates.ts";
import { base64, kubeconfigText, makeFolder } from "./kubeconfig-files.ts";
import { type KubeProcess, runtimes, startKube } from "./runtimes.ts";

const canary = "c4n4ry-of-a-plugin";
const apiVersion = "client.authentication.k8s.io/v1";
const credential = (status: unknown, changes: object = {}) =>
  JSON.stringify({ apiVersion, kind: "ExecCredential", status, ...changes });

const folder = makeFolder();
afterAll(() => folder.remove());

describe.each(runtimes)("an exec plugin under %s", (runtime) => {
  let kube: KubeProcess;
  let client: Issued;
  let written = 0;

  beforeAll(async () => {
    kube = startKube(runtime);
    const authority = await createAuthority("test");
    client = await authority.issue({ commonName: "system:node:n1", usages: ["client"] });
  });
  afterAll(() => kube.stop());

  const script = (text: string) => {
    const name = `plugin-${runtime}-${written++}`;
    folder.write(`bin/${name}`, `#!/bin/sh\n${text}\n`, 0o755);
    return name;
  };
  const printing = (text: string) => {
    const file = folder.write(`output-${runtime}-${written++}`, text);
    return script(`echo ${canary} >&2; cat '${file}'`);
  };

  async function read(exec: object, { cluster = {}, user = {}, env = {}, milliseconds = 5000 } = {}) {
    const text = kubeconfigText({
      cluster,
      user: { ...user, exec: { apiVersion, interactiveMode: "Never", ...exec } },
    });
    const kubeconfig = folder.write(`config-${runtime}-${written++}`, text);
    const PATH = `/none:${folder.path}/bin:/usr/bin:/bin`;
    return kube.call("readConnection", { kubeconfig, env: { PATH, ...env }, milliseconds });
  }

  it("gives a token, found in PATH", async () => {
    const { value } = await read({ command: printing(credential({ token: "abc" })) });
    expect(value).toMatchObject({ token: "abc" });
  });

  it("gives a certificate and a key, found beside the kubeconfig, version v1beta1", async () => {
    const status = { clientCertificateData: client.certificate, clientKeyData: client.key };
    const beta = { apiVersion: "client.authentication.k8s.io/v1beta1" };
    const command = `bin/${printing(credential(status, beta))}`;
    const { value } = await read({ ...beta, interactiveMode: null, command });
    expect(value).toMatchObject({ cert: client.certificate.trim(), key: client.key.trim() });
  });

  it("gets its arguments, the environment and what it is asked for", async () => {
    const out = `${folder.path}/seen-${runtime}`;
    const command = script(`
{ printf '%s|' "$@"; echo; echo "$A|$B|$HTTPS_PROXY"; echo "$KUBERNETES_EXEC_INFO"; wc -c; } > ${out}
echo '${credential({ token: "abc" })}'`);
    const authority = await createAuthority("test");
    const cluster = {
      server: "https://10.0.0.1:6443",
      "tls-server-name": "kubernetes",
      "certificate-authority-data": base64(authority.certificate),
      "proxy-url": "http://own:1",
      extensions: [
        { name: "other", extension: { a: "b" } },
        { name: "client.authentication.k8s.io/exec", extension: { audience: "x", list: [1] } },
      ],
    };
    const env = [
      { name: "A", value: "own" },
      { name: "B", value: "" },
    ];
    const exec = { command, args: ["a b", "", "$A"], env, provideClusterInfo: true };
    const { value } = await read(exec, {
      cluster,
      env: { A: "outer", B: "outer", HTTPS_PROXY: "http://p:1" },
    });
    expect(value).toMatchObject({ token: "abc" });
    const [args, variables, info, stdin] = readFileSync(out, "utf8").split("\n");
    expect(args).toBe("a b||$A|");
    expect(variables).toBe("own||http://p:1");
    expect(stdin?.trim()).toBe("0");
    expect(JSON.parse(info ?? "")).toEqual({
      apiVersion,
      kind: "ExecCredential",
      spec: {
        interactive: false,
        cluster: {
          server: "https://10.0.0.1:6443",
          "tls-server-name": "kubernetes",
          "certificate-authority-data": base64(authority.certificate),
          "proxy-url": "http://own:1",
          config: { audience: "x", list: [1] },
        },
      },
    });
  });

  it("isn't told about the cluster unless it asks for it", async () => {
    const out = `${folder.path}/told-${runtime}`;
    const command = script(`echo "$KUBERNETES_EXEC_INFO" > ${out}; echo '${credential({ token: "abc" })}'`);
    await read({ command });
    const expected = { apiVersion, kind: "ExecCredential", spec: { interactive: false } };
    expect(JSON.parse(readFileSync(out, "utf8"))).toEqual(expected);
  });

  it("isn't run where there is a token", async () => {
    const ran = `${folder.path}/ran-${runtime}`;
    const { value } = await read({ command: script(`touch ${ran}`) }, { user: { token: "static" } });
    expect(value).toMatchObject({ token: "static" });
    expect(existsSync(ran)).toBe(false);
  });

  it.each([
    ["fails", { script: `echo ${canary}; exit 3` }, "failed with exit code 3"],
    ["is killed", { script: `echo ${canary}; kill -9 $$` }, "was ended by SIGKILL"],
    ["prints rubbish", { output: canary }, "did not print JSON"],
    ["prints too much", { script: `yes ${canary}` }, "printed more than 1048576 bytes"],
    ["prints another kind", { output: `{"kind": "${canary}"}` }, "printed no ExecCredential"],
    [
      "prints another version",
      { output: credential({ token: canary }, { apiVersion: canary }) },
      `printed an apiVersion that is not ${apiVersion}`,
    ],
    ["prints no status", { output: credential(null) }, "printed an ExecCredential without status"],
    ["gives nothing", { output: credential({ other: canary }) }, "gave neither a token nor a certificate"],
    ["gives a number", { output: credential({ token: 1 }) }, "gave credentials that are no strings"],
    [
      "gives a strange token",
      { output: credential({ token: `${canary} ${canary}` }) },
      "gave a token that is not one word of ASCII characters",
    ],
    [
      "gives half a pair",
      { output: credential({ token: canary, clientKeyData: canary }) },
      "gave only one of clientCertificateData and clientKeyData",
    ],
  ])("that %s is an outage, and its output is in no error", async (_, made, expected) => {
    const command = "script" in made ? script(made.script) : printing(made.output ?? "");
    const { error } = await read({ command, args: [canary], env: [{ name: "A", value: canary }] });
    expect(error).toMatchObject({ code: 11, details: "run it by hand to see what it says" });
    expect(error?.message).toMatch(/config-\w+-\d+: users\[0\]\.user\.exec: the credential plugin "plugin-/);
    expect(error?.message).toContain(expected);
    expect(JSON.stringify(error)).not.toContain(canary);
  });

  it("that doesn't end is ended in time, and what it started too", async () => {
    const alive = `${folder.path}/alive-${runtime}`;
    const command = script(`(sleep 1; touch ${alive}) & sleep 30`);
    const { error, milliseconds } = await read({ command }, { milliseconds: 300 });
    expect(error).toMatchObject({ code: 11, message: expect.stringContaining("did not end in time") });
    expect(milliseconds).toBeLessThan(5000);
    await sleep(1200);
    expect(existsSync(alive)).toBe(false);
  });

  it("whose child keeps its output open is ended in time", async () => {
    const command = script(`echo '${credential({ token: "abc" })}'; sleep 30 &`);
    const { milliseconds } = await read({ command }, { milliseconds: 300 });
    expect(milliseconds).toBeLessThan(5000);
  });

  it("of a foreign format can't be run", async () => {
    folder.write(`bin/foreign-${runtime}`, "\u007fELF", 0o755);
    const { error } = await read({ command: `foreign-${runtime}` });
    expect(error).toMatchObject({
      code: 11,
      message: expect.stringMatching(/can't be run \(ENOEXEC\)|failed with exit code/),
    });
  });
});
