// kube-node's commands with a kubelet's credentials, on a real API server.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Finding } from "../../src/cli/finding.ts";
import { machineIDs } from "../../src/host/machine.ts";
import type { ApiServer, Identity } from "../parts/api-server.ts";
import { callPlugin, executables, type PluginAnswer } from "../parts/plugin.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../parts/real-api-server.ts";
import { hostLocals, whatLacks } from "../parts/tools.ts";
import { installPrograms } from "./parts/install.ts";

const missing = reasonForNoRealApiServer();
const [hostLocal] = hostLocals();
const [machineID] = machineIDs();
const lack = whatLacks(
  missing === undefined ? {} : { missing: `a real API server (${missing})` },
  hostLocal ? {} : { missing: "host-local" },
  machineID === undefined ? { missing: "/etc/machine-id" } : {},
);
const key = "example.com/net1";

describe.skipIf(lack.some)(`kube-node's commands and a real API server${lack.words}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "commands-"));
  const [kubeconfig, conf] = ["kubeconfig", "net1.conf"].map((name) => join(folder, name)) as [
    string,
    string,
  ];
  let server: ApiServer;
  beforeAll(async () => {
    server = await startRealApiServer();
    const annotations = { [key]: "10.1.2.0/24,fd00::/64" };
    await server.createNode({ name: "node-a", machineID: machineID ?? "", annotations });
    await server.createNode({ name: "node-b", machineID: "b".repeat(32) });
    installPrograms({ executable: executables()[0] as ReturnType<typeof executables>[number] }, folder);
    const ipam = { type: "kube-node", annotation: key, kubeconfig, dataDir: join(folder, "data") };
    writeFileSync(conf, JSON.stringify({ cniVersion: "1.0.0", name: "net1", type: "kube-node", ipam }));
  }, 120_000);
  afterAll(async () => {
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function run(identity: Identity, ...words: string[]): Promise<PluginAnswer> {
    writeFileSync(kubeconfig, await server.kubeconfigFor(identity));
    const path = `${folder}:${hostLocal?.folder}`;
    return await callPlugin({ command: [join(folder, "kube-node"), ...words], path });
  }

  const kubelet = { kind: "kubelet", node: "node-a" } as const;

  it("my-node and get-annotation: the own Node; another's is refused to a kubelet, in words", async () => {
    const flag = `--kubeconfig=${kubeconfig}`;
    expect(await run(kubelet, "my-node", flag)).toMatchObject({
      exitCode: 0,
      json: await server.getNode("node-a"),
    });
    expect(await run(kubelet, "get-annotation", flag, key)).toMatchObject({
      stdout: "10.1.2.0/24,fd00::/64\n",
    });
    const other = await run(kubelet, "get-annotation", flag, "--node=node-b", key);
    expect(other).toMatchObject({ exitCode: 1, stdout: "" });
    expect(other.stderr).toMatch(/^kube-node: the API server \S+ forbids it \(403\): .*node-b/);
    const admin = await run({ kind: "admin" }, "get-annotation", flag, "--node=node-b", key);
    expect(admin.stderr).toMatch(
      /^kube-node: Node node-b has no annotation example\.com\/net1: it has none$/m,
    );
  });

  it("ranges and synthesize ask, and keep nothing", async () => {
    expect(await run(kubelet, "ranges", "-o", "json", conf)).toMatchObject({
      exitCode: 0,
      json: {
        node: "node-a",
        from: "asked",
        ranges: [{ subnet: "10.1.2.0/24", free: 253 }, { subnet: "fd00::/64" }],
      },
    });
    expect(await run(kubelet, "synthesize", conf)).toMatchObject({
      exitCode: 0,
      json: {
        ipam: { type: "host-local", ranges: [[{ subnet: "10.1.2.0/24" }], [{ subnet: "fd00::/64" }]] },
      },
    });
    expect(existsSync(join(folder, "data"))).toBe(false);
  });

  it("try gets an address and gives it back", async () => {
    const answer = await run(kubelet, "try", "-o", "json", conf);
    expect(answer, answer.stdout).toMatchObject({
      exitCode: 0,
      json: {
        steps: [
          { result: { ips: [{ address: "10.1.2.2/24" }, { address: "fd00::2/64" }] } },
          {},
          {},
          { says: "nothing" },
        ],
      },
    });
    expect(existsSync(join(folder, "data"))).toBe(false);
  });

  it.each<[string, Identity, string, string]>([
    ["a kubelet's", kubelet, "ok", "may not be read, and needn't"],
    ["an administrator's", { kind: "admin" }, "ok", "may be read; the own Node would do"],
  ])("doctor finds that %s credentials do", async (_, identity, state, says) => {
    const answer = await run(identity, "doctor", "-o", "json", conf);
    expect(answer, answer.stdout).toMatchObject({ exitCode: 0 });
    const { findings } = answer.json as { findings: Finding[] };
    expect(findings).toContainEqual({ check: "list of Nodes", network: "net1", state, says });
    expect(findings).toContainEqual({
      check: "clock",
      network: "net1",
      state: "ok",
      says: "as the API server's",
    });
  });

  it("doctor finds that others' don't, and what to do", async () => {
    const none = { kind: "serviceAccount", namespace: "default", name: "none", mayRead: "none" } as const;
    const answer = await run(none, "doctor", "-o", "json", conf);
    expect(answer.exitCode).toBe(1);
    const { findings } = answer.json as { findings: Finding[] };
    const own = findings.find(({ check }) => check === "own Node");
    expect(own).toMatchObject({
      state: "fail",
      says: expect.stringMatching(/forbids it \(403\)/),
      remedy: expect.stringContaining("RBAC"),
    });
  });
});
