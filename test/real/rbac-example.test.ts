import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApiServer } from "../parts/api-server.ts";
import { formatKubeconfig } from "../parts/kubeconfig.ts";
import { callPlugin, executables } from "../parts/plugin.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../parts/real-api-server.ts";
import { checkout, hostLocals, kubectl, whatLacks } from "../parts/tools.ts";

const missing = reasonForNoRealApiServer();
const [hostLocal] = hostLocals();
const lack = whatLacks(missing ? { missing } : {}, kubectl(), hostLocal ? {} : { missing: "host-local" });

describe.skipIf(lack.some)(`examples/rbac/own-node.yaml${lack.words}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "rbac-"));
  let api: ApiServer;
  let token = "";

  beforeAll(async () => {
    api = await startRealApiServer();
    const machineID = readFileSync("/etc/machine-id", "utf8").trim();
    await api.createNode({ name: "worker-1", machineID, podCIDRs: ["11.0.1.0/24"] });
    await api.createNode({ name: "worker-2", podCIDRs: ["11.0.2.0/24"] });
    writeFileSync(join(folder, "admin"), await api.kubeconfigFor({ kind: "admin" }));
    const manifest = readFileSync(join(checkout, "examples/rbac/own-node.yaml"), "utf8").replaceAll(
      "NODE",
      "worker-1",
    );
    await kube(["apply", "-f", "-"], manifest);
    const bound = ["--bound-object-kind", "Node", "--bound-object-name", "worker-1"];
    token = await kube(["create", "token", "kube-node-worker-1", "--namespace", "kube-system", ...bound]);
  });
  afterAll(async () => {
    await api?.close();
    rmSync(folder, { recursive: true });
  });

  async function kube(words: string[], input = ""): Promise<string> {
    const flags = [`--kubeconfig=${join(folder, "admin")}`, `--cache-dir=${join(folder, "cache")}`];
    const { stdout } = await execa(kubectl().path ?? "", [...flags, ...words], { input });
    return stdout;
  }

  async function add(nodeName?: string) {
    const kubeconfig = join(folder, "kubeconfig");
    writeFileSync(kubeconfig, await formatKubeconfig({ url: api.url, authority: api.authority }, { token }));
    return await callPlugin({
      command: executables()[0]?.command("kube-node") ?? [],
      verb: "ADD",
      containerID: `c-${nodeName ?? "own"}`,
      ifname: "eth0",
      netns: "/var/run/netns/none",
      path: hostLocal?.folder ?? "",
      stdin: {
        cniVersion: "1.0.0",
        name: "net",
        ipam: {
          type: "kube-node",
          kubeconfig,
          dataDir: join(folder, nodeName ?? "own"),
          timeout: 3,
          ...(nodeName && { nodeName }),
        },
      },
    });
  }

  it("lets the plugin find its Node by the token's claim, and read it", async () => {
    expect((await add()).json).toMatchObject({ ips: [{ address: "11.0.1.2/24" }] });
  });

  it("lets it read no other", async () => {
    expect((await add("worker-2")).json).toMatchObject({
      code: 11,
      details: expect.stringContaining("forbids it (403)"),
    });
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
    const answer = await kube(["auth", "can-i", verb, resource, as]).catch(
      (error: { stdout: string }) => error.stdout,
    );
    expect(answer).toBe(expected);
  });
});
