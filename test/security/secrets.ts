// Where secrets stand that are given to a call, each with a canary in it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Issued } from "../parts/certificates.ts";
import { putProgram } from "../real/parts/worker.ts";

/** What must never come out again, as it is or in base64. */
const canary = "c4n4ryc4n4ry";
export const canaries = [canary, Buffer.from(canary).toString("base64").slice(1, -3), canary.toUpperCase()];

type User = Record<string, unknown>;
export type Given = { user: User; cluster?: Record<string, unknown>; env?: Record<string, string> };

export const base64 = (text: string) => Buffer.from(text).toString("base64");
const version = "client.authentication.k8s.io/v1";
const exec = (command: string, more: object = {}) => ({
  exec: { apiVersion: version, command, interactiveMode: "Never", ...more },
});

const webToken = ["{}", JSON.stringify({ sub: canary, exp: 1 }), canary]
  .map((part) => Buffer.from(part).toString("base64url"))
  .join(".");

/** A program whose every word is secret. */
function plugin(folder: string, script: string): string {
  return putProgram(join(folder, "plugin"), `#!/bin/sh\necho "on stderr ${canary}" >&2\n${script}\n`);
}

/** Where credentials may stand, well-formed and not. */
export const hidingPlaces: Record<string, (folder: string, client: Issued) => Given> = {
  "a token": () => ({ user: { token: canary } }),
  "a token of two words": () => ({ user: { token: `two ${canary}` } }),
  "a token that is a number": () => ({ user: { token: [canary] } }),
  "a token's file": (folder) => ({ user: { tokenFile: put(folder, "token", canary) } }),
  "a token's file of two lines": (folder) => ({
    user: { tokenFile: put(folder, "token", `${canary}\n${canary}`) },
  }),
  "a web token": () => ({ user: { token: webToken } }),
  "a client's key": (_, client) => ({
    user: { "client-certificate-data": base64(client.certificate), "client-key-data": base64(client.key) },
  }),
  "a key that isn't the certificate's": (_, client) => ({
    user: {
      "client-certificate-data": base64(client.certificate),
      "client-key-data": base64(keyWith(canary)),
    },
  }),
  "a key's file that is none": (folder, client) => ({
    user: { "client-certificate-data": base64(client.certificate), "client-key": put(folder, "key", canary) },
  }),
  "a key that isn't base64": (_, client) => ({
    user: { "client-certificate-data": base64(client.certificate), "client-key-data": `!${canary}!` },
  }),
  "user and password": () => ({ user: { username: "u", password: canary } }),
  "a retired plugin's configuration": () => ({
    user: { "auth-provider": { name: "gcp", config: { "access-token": canary } } },
  }),
  "the server's address": () => ({
    user: { token: "t" },
    cluster: { server: `https://u:${canary}@127.0.0.1:1` },
  }),
  "a proxy's address": () => ({
    user: { token: "t" },
    cluster: { "proxy-url": `http://u:${canary}@127.0.0.1:1` },
  }),
  "a malformed proxy's address": () => ({
    user: { token: "t" },
    cluster: { "proxy-url": `socks5://u:${canary}@127.0.0.1:1` },
  }),
  "the environment's proxy": () => ({
    user: { token: "t" },
    cluster: { server: "https://192.0.2.1:6443" },
    env: { HTTPS_PROXY: `http://u:${canary}@127.0.0.1:1` },
  }),
  "a malformed proxy of the environment": () => ({
    user: { token: "t" },
    cluster: { server: "https://192.0.2.1:6443" },
    env: { HTTPS_PROXY: `ftp://u:${canary}@x y` },
  }),
  "an exec plugin's token": (folder) => ({
    user: exec(
      plugin(
        folder,
        `echo '${JSON.stringify({ apiVersion: version, kind: "ExecCredential", status: { token: canary } })}'`,
      ),
    ),
  }),
  "an exec plugin's rubbish": (folder) => ({ user: exec(plugin(folder, `echo '{"${canary}'`)) }),
  "an exec plugin's last words": (folder) => ({ user: exec(plugin(folder, `echo ${canary}; exit 3`)) }),
  "an exec plugin's other kind": (folder) => ({
    user: exec(plugin(folder, `echo '{"kind":"${canary}","apiVersion":"${canary}"}'`)),
  }),
  "an exec plugin's environment and arguments": (folder) => ({
    user: exec(plugin(folder, "exit 1"), { args: [canary], env: [{ name: "SECRET", value: canary }] }),
  }),
  "an exec plugin that isn't there": () => ({
    user: exec("/nowhere/plugin", { args: [canary], env: [{ name: "SECRET", value: canary }] }),
  }),
  "an exec plugin's malformed environment": () => ({
    user: exec("/bin/true", { env: [{ name: "SECRET", value: { a: canary } }] }),
  }),
};

/** A file of the test's, which may hold secrets. */
export function put(folder: string, name: string, text: string): string {
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
}

/** PEM that is no key, with a secret in it. */
function keyWith(secret: string): string {
  return `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n`;
}
