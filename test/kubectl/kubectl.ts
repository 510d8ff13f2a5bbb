import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { Client } from "../../src/kube/client.ts";
import { adminClient } from "../parts/admin-client.ts";
import type { ApiServer, Identity } from "../parts/api-server.ts";
import { executables } from "../parts/plugin.ts";
import { startRealApiServer } from "../parts/real-api-server.ts";

export type Answer = { exitCode: number | undefined; stdout: string; stderr: string };

/** A real API server, and `kubectl kube-node` with an administrator's kubeconfig. */
export type Site = {
  api: ApiServer;
  admin: Client;
  folder: string;
  /** The compiled program unless `program` says otherwise; words as in a shell, split at blanks. */
  run(
    words: string | string[],
    options?: { program?: string[]; env?: Record<string, string> },
  ): Promise<Answer>;
  /** A kubeconfig for somebody else. */
  kubeconfigFor(identity: Identity): Promise<string>;
  close(): Promise<void>;
};

export async function openSite(): Promise<Site> {
  const api = await startRealApiServer();
  const folder = mkdtempSync(join(tmpdir(), "kubectl-"));
  const admin = await adminClient(api);
  let written = 0;
  async function kubeconfigFor(identity: Identity): Promise<string> {
    const path = join(folder, `kubeconfig-${written++}`);
    writeFileSync(path, await api.kubeconfigFor(identity), { mode: 0o600 });
    return path;
  }
  const kubeconfig = await kubeconfigFor({ kind: "admin" });
  return {
    api,
    admin,
    folder,
    kubeconfigFor,
    async run(words, { program = executables()[0]?.command("kubectl-kube_node") ?? [], env = {} } = {}) {
      const [file = "", ...args] = [...program, ...(typeof words === "string" ? words.split(" ") : words)];
      const result = await execa(file, args, {
        env: { KUBECONFIG: kubeconfig, HOME: folder, PATH: process.env["PATH"], ...env },
        extendEnv: false,
        reject: false,
        stdin: "ignore",
      });
      return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
    },
    async close() {
      admin.close();
      await api.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
