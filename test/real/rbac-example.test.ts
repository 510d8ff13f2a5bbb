import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blocksOf } from "../examples/parts/readme.ts";
import type { ApiServer } from "../parts/api-server.ts";
import { callPlugin, executables } from "../parts/plugin.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../parts/real-api-server.ts";
import { checkout, hostLocals, kubectl, whatLacks } from "../parts/tools.ts";

const missing = reasonForNoRealApiServer();
// Any one: what is tried here is what the API server lets the credentials do.
const [hostLocal] = hostLocals();
const lack = whatLacks(missing ? { missing } : {}, kubectl(), hostLocal ? {} : { missing: "host-local" });

describe.skipIf(lack.some)(`examples/rbac${lack.words}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "rbac-"));
  const documented = blocksOf("sh", readFileSync(join(checkout, "examples/rbac/README.md"), "utf8"));
  const [setUp = "", renew = ""] = documented;
  let api: ApiServer;

  beforeAll(async () => {
    api = await startRealApiServer();
    const machineID = readFileSync("/etc/machine-id", "utf8").trim();
    await api.createNode({ name: "worker-1", machineID, podCIDRs: ["11.0.1.0/24"] });
    await api.createNode({ name: "worker-2", podCIDRs: ["11.0.2.0/24"] });
    writeFileSync(join(folder, "admin"), await api.kubeconfigFor({ kind: "admin" }));
    symlinkSync(kubectl().path as string, join(folder, "kubectl"));
    copyFileSync(join(checkout, "examples/rbac/own-node.yaml"), join(folder, "own-node.yaml"));
    for (const block of documented) await type(block);
    // What goes to /etc/kube-node there stays where it is here.
    await type("kubectl config --kubeconfig worker-1/kubeconfig set users.kube-node.tokenFile token");
  });
  afterAll(async () => {
    await api?.close();
    rmSync(folder, { recursive: true });
  });

  /** As an administrator does, in the folder of the example. */
  async function type(text: string): Promise<string> {
    const env = { PATH: `${folder}:${process.env["PATH"]}`, HOME: folder, KUBECONFIG: join(folder, "admin") };
    return (await execa("sh", ["-e", "-c", text], { env, extendEnv: false, cwd: folder })).stdout;
  }

  let count = 0;

  /** Without any memory of an earlier call. */
  async function add(keys: { nodeName?: string; logfile?: string; dataDir?: string } = {}) {
    const kubeconfig = join(folder, "worker-1/kubeconfig");
    const dataDir = join(folder, `data-${++count}`);
    return await callPlugin({
      command: executables()[0]?.command("kube-node") ?? [],
      verb: "ADD",
      containerID: `c-${count}`,
      ifname: "eth0",
      netns: "/var/run/netns/none",
      path: hostLocal?.folder ?? "",
      stdin: {
        cniVersion: "1.0.0",
        name: "net",
        ipam: { type: "kube-node", kubeconfig, dataDir, timeout: 3, cacheTTL: 0, ...keys },
      },
    });
  }

  it("is a block that makes a kubeconfig, and one that renews the token", () => {
    expect(documented).toHaveLength(2);
    expect(setUp).toContain("kubectl apply");
    expect(renew).toContain("kubectl create token");
  });

  it("makes a kubeconfig without a secret, and a token for root alone that ends when it says", async () => {
    const kubeconfig = readFileSync(join(folder, "worker-1/kubeconfig"), "utf8");
    const token = readFileSync(join(folder, "worker-1/token"), "utf8").trim();
    expect(kubeconfig).not.toContain(token);
    expect(statSync(join(folder, "worker-1/token")).mode & 0o777).toBe(0o600);
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    expect(claims.exp - claims.iat).toBe(720 * 3600);
    expect(claims["kubernetes.io"].node.name).toBe("worker-1");
  });

  it("lets the plugin find its Node by the token's claim, and read it", async () => {
    expect((await add()).json).toMatchObject({ ips: [{ address: "11.0.1.2/24" }] });
  });

  it("lets it read no other", async () => {
    expect((await add({ nodeName: "worker-2" })).json).toMatchObject({
      code: 11,
      details: expect.stringContaining("forbids it (403)"),
    });
  });

  it("goes on with last-known ranges and a warning when the token has ended, until the next call after a renewal", async () => {
    const [dataDir, logfile] = [join(folder, "lasting"), join(folder, "log")];
    const log = () => readFileSync(logfile, "utf8");
    expect((await add({ dataDir, logfile })).json).toMatchObject({ ips: [{ address: "11.0.1.2/24" }] });
    await type("echo ended >worker-1/token");
    expect((await add({ dataDir, logfile })).json).toMatchObject({ ips: [{ address: "11.0.1.3/24" }] });
    expect(log()).toMatch(/\(401\).*going on with last-known ranges/);
    const before = log().length;
    await type(renew);
    expect((await add({ dataDir, logfile })).json).toMatchObject({ ips: [{ address: "11.0.1.4/24" }] });
    expect(log().slice(before)).not.toContain("last-known");
  });

  it.each([
    ["get", "nodes/worker-1", "yes"],
    ["get", "nodes/worker-2", "no"],
    ["list", "nodes", "no"],
    ["watch", "nodes", "no"],
    ["patch", "nodes/worker-1", "no"],
    ["get", "pods", "no"],
    ["get", "secrets", "no"],
  ])("may %s %s: %s", async (verb, resource, expected) => {
    const as = "--as=system:serviceaccount:kube-system:kube-node-worker-1";
    const answer = await type(`kubectl auth can-i ${verb} ${resource} ${as} || true`);
    expect(answer).toBe(expected);
  });
});
