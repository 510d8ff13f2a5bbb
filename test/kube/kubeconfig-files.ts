import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { stringify } from "yaml";

/** A folder that ends with the test. */
export function makeFolder(): {
  path: string;
  write(name: string, text: string, mode?: number): string;
  remove(): void;
} {
  const path = mkdtempSync(join(tmpdir(), "kube-"));
  return {
    path,
    write(name, text, mode = 0o600) {
      const file = join(path, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text, { mode });
      return file;
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

type Parts = { cluster?: object; user?: object; name?: string };

/** The text of a kubeconfig with one context. */
export function kubeconfigText({ cluster = {}, user = {}, name = "prod" }: Parts = {}): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{ name, cluster: { server: "https://10.0.0.1:6443", ...cluster } }],
    users: [{ name, user }],
  });
}

export const base64 = (text: string): string => Buffer.from(text).toString("base64");
