import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { vi } from "vitest";
import type { ApiServer } from "../../parts/api-server.ts";
import { send } from "../../parts/https-request.ts";
import { formatKubeconfig } from "../../parts/kubeconfig.ts";
import { startRealApiServer } from "../../parts/real-api-server.ts";
import { kubectl } from "../../parts/tools.ts";

/** A real API server with RBAC, and kubectl as several people and programs. */
export type Court = {
  api: ApiServer;
  /** stdout; rejects where kubectl fails. */
  kube(who: string, words: string[], input?: object): Promise<string>;
  /** "done", or what the API server said. */
  outcome(who: string, words: string[], input?: object): Promise<string>;
  /** A merge patch alone, without the reading that kubectl does before; "done", or what the API server said. */
  patch(who: string, path: string, change: object): Promise<string>;
  kubeconfigOf(who: string): string;
  /** `who` from now on acts with a token of this ServiceAccount of the namespace kube-node. */
  logIn(who: string, account: string): Promise<void>;
  close(): Promise<void>;
};

/** `admin` may do everything. */
export async function openCourt(): Promise<Court> {
  const folder = mkdtempSync(join(tmpdir(), "rights-"));
  const api = await startRealApiServer();
  writeFileSync(join(folder, "admin"), await api.kubeconfigFor({ kind: "admin" }));

  async function kube(who: string, words: string[], input?: object): Promise<string> {
    const flags = [`--kubeconfig=${join(folder, who)}`, `--cache-dir=${join(folder, "cache")}`];
    const { stdout } = await execa(kubectl().path ?? "", [...flags, ...words], {
      input: input ? JSON.stringify(input) : "",
    });
    return stdout;
  }
  return {
    api,
    kube,
    outcome: (who, words, input) =>
      kube(who, words, input).then(
        () => "done",
        (error: { stderr: string }) => error.stderr,
      ),
    async patch(who, path, body) {
      const token = await kube(who, ["config", "view", "--raw", "-o", "jsonpath={.users[0].user.token}"]);
      const server = { url: api.url, authority: api.authority, credentials: { token } };
      const headers = { "content-type": "application/merge-patch+json" };
      const { status, json } = await send(server, { method: "PATCH", path, body, headers });
      return status === 200 ? "done" : String((json as { message?: string }).message);
    },
    kubeconfigOf: (who) => join(folder, who),
    async logIn(who, account) {
      const token = await kube("admin", ["create", "token", "--namespace=kube-node", account]);
      const server = { url: api.url, authority: api.authority };
      writeFileSync(join(folder, who), await formatKubeconfig(server, { token }));
    },
    async close() {
      await api.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** RBAC and policies count some moments after they were made. */
export async function waitFor(check: () => Promise<void>): Promise<void> {
  await vi.waitFor(check, { timeout: 45_000, interval: 500 });
}
