import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Credentials, KubeconfigOptions } from "./api-server.ts";

type Server = { url: string; authority: string };

/** The text of a kubeconfig with one cluster, one user and one context; writes files only where a folder is given. */
export async function formatKubeconfig(
  server: Server,
  credentials: Credentials,
  options: KubeconfigOptions = {},
): Promise<string> {
  const user =
    options.folder === undefined ? inlineUser(credentials) : await fileUser(credentials, options.folder);
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "test",
        cluster: {
          server: options.url ?? server.url,
          "certificate-authority-data": base64(options.authority ?? server.authority),
        },
      },
    ],
    users: [{ name: "test", user }],
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    "current-context": "test",
  });
}

function inlineUser({ client, token }: Credentials): Record<string, string> {
  return {
    ...(client && {
      "client-certificate-data": base64(client.certificate),
      "client-key-data": base64(client.key),
    }),
    ...(token !== undefined && { token }),
  };
}

async function fileUser({ client, token }: Credentials, folder: string): Promise<Record<string, string>> {
  const user: Record<string, string> = {};
  if (client) {
    const path = join(folder, "client.pem");
    await writeSecret(path, client.certificate + client.key);
    user["client-certificate"] = path;
    user["client-key"] = path;
  }
  if (token !== undefined) {
    user["tokenFile"] = join(folder, "token");
    await writeSecret(user["tokenFile"], `${token}\n`);
  }
  return user;
}

async function writeSecret(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  await chmod(path, 0o600);
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");
