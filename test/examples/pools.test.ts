// The README's section on pools as it stands, with the real controller, which has the rights of examples/controller/base and no others.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { checkFiles } from "../../src/check/check-files.ts";
import { type Controller, startController } from "../controller/parts/controller.ts";
import { executables } from "../parts/plugin.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { checkout, kubectl, whatLacks } from "../parts/tools.ts";
import { type Court, openCourt, waitFor } from "../real/parts/rights.ts";
import { blockWith } from "./parts/readme.ts";

const missing = reasonForNoRealApiServer();
const lack = whatLacks(missing ? { missing } : {}, kubectl());
const folder = join(checkout, "examples/pools");
const files = readdirSync(folder);
const lines = blockWith("examples/pools/ip-pool.yaml").trim().split("\n");

describe("examples/pools", () => {
  it.each(files)("%s is a good document", (file) => {
    const text = readFileSync(join(folder, file), "utf8");
    expect(checkFiles([{ name: file, text }])).toEqual([]);
  });
});

describe.skipIf(lack.some)(`the README's section on pools${lack.words}`, () => {
  const work = mkdtempSync(join(tmpdir(), "pools-"));
  let court: Court;
  let controller: Controller | undefined;

  beforeAll(async () => {
    court = await openCourt();
    const linux = { "kubernetes.io/os": "linux" };
    for (const [name, rack] of Object.entries({ "worker-1": "a", "worker-2": "b", "worker-3": "c" }))
      await court.api.createNode({ name, labels: { ...linux, "topology.example.com/rack": rack } });
    const bin = join(work, "bin");
    mkdirSync(bin);
    symlinkSync(kubectl().path as string, join(bin, "kubectl"));
    const plugin = executables()[0]?.command("kubectl-kube_node")[0] as string;
    symlinkSync(plugin, join(bin, "kubectl-kube_node"));
  }, 90_000);
  afterAll(async () => {
    await controller?.stop();
    await court?.close();
    rmSync(work, { recursive: true });
  });

  /** By sh, as somebody types it who administers the cluster. */
  async function type(line: string): Promise<string> {
    const PATH = `${join(work, "bin")}:/usr/bin:/bin`;
    const env = { PATH, HOME: work, KUBECONFIG: court.kubeconfigOf("admin") };
    return (await execa("sh", ["-e", "-c", line], { env, extendEnv: false, cwd: checkout })).stdout;
  }

  /** As the Deployment would be started by a kubelet, with the rights of its ServiceAccount. */
  async function startDeployed(): Promise<void> {
    await court.logIn("controller", "kube-node-controller");
    const env = { POD_NAME: "one", POD_NAMESPACE: "kube-node" };
    controller = startController({
      kubeconfig: court.kubeconfigOf("controller"),
      args: ["--leader-elect=true"],
      env,
    });
    await controller.said("this one leads");
  }

  it("has seven commands", () => expect(lines).toHaveLength(7));

  const expected = [
    /deployment\.apps\/kube-node-controller created/,
    /^ippool\.ipam\.kube-node\.io\/net1 created$/,
    /condition met/,
    /^NAME +SUBNET .*\nnet1 +172\.20\.0\.0\/16 +64 +3 /,
    /^ippool\/net1: 1,0\d\d blocks: 3 given, 0 closing, /,
    /172\.20\.0\.5 is excluded from ippool\/net1/,
    /^$/,
  ];

  it.each(lines.map((line, index) => ({ line: line.replace(/ +#.*/, ""), index })))(
    "$line",
    async ({ line, index }) => {
      const words = expected[index] as RegExp;
      // What changes something is typed once; what looks, until the controller is through.
      if (index < 2) expect(await type(line)).toMatch(words);
      else await waitFor(async () => expect(await type(line)).toMatch(words));
      if (index === 0) await startDeployed();
    },
  );

  it("takes the other pools, too: static networks, racks and IPv6", async () => {
    for (const file of files.filter((file) => file !== "network.yaml"))
      await type(`kubectl apply -f examples/pools/${file}`);
    await waitFor(async () => {
      const { items } = JSON.parse(await type("kubectl kube-node list -o json")) as {
        items: { node: string; pool: string; sets: { block: string }[] }[];
      };
      const blocks = items.map(({ node, pool, sets }) => `${node} ${pool} ${sets.map(({ block }) => block)}`);
      expect(blocks.sort()).toEqual([
        "worker-1 cidrpool/routed cidrpool.routed.100",
        "worker-1 cidrpool/routed-v6 cidrpool.routed-v6.0",
        "worker-1 ippool/net1 ippool.net1.0",
        "worker-2 cidrpool/routed cidrpool.routed.1",
        "worker-2 cidrpool/routed-v6 cidrpool.routed-v6.1",
        "worker-2 ippool/net1 ippool.net1.1",
        "worker-3 cidrpool/routed-v6 cidrpool.routed-v6.2",
        "worker-3 ippool/net1 ippool.net1.2",
      ]);
    });
  });

  it("was never refused a right", async () => {
    await vi.waitFor(() => expect(controller).toBeDefined());
    const refused = controller?.lines().filter((line) => /forbidden|403/i.test(JSON.stringify(line)));
    expect(refused).toEqual([]);
    expect(await controller?.metric("kube_node_controller_api_errors_total", 'status="403"')).toBe(0);
  });

  it("frees a pool that is deleted, once the agents have drained its blocks", async () => {
    await type("kubectl delete ippool net1 --wait=false");
    await waitFor(async () => {
      const said = await type("kubectl get nodeblocks -o jsonpath='{.items[*].spec.closing}'");
      expect(said).toBe("true true true");
    });
    for (const index of [0, 1, 2])
      await type(
        `kubectl patch nodeblock ippool.net1.${index} --subresource=status --type=merge -p '{"status": {"used": 0, "drained": true}}'`,
      );
    await waitFor(async () => expect(await type("kubectl get ippools -o name")).toBe(""));
    expect(await controller?.metric("kube_node_controller_api_errors_total", 'status="403"')).toBe(0);
  });
});
