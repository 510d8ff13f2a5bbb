// etcd is set back while nv-ipam's pools are served: they wait as ours do, over restarts too, and `rebuild` brings back what agents hold.
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { heldBlocksKey } from "../../src/api/held-blocks.ts";
import { servedLabel } from "../../src/api/nv-ipam.ts";
import { createNvIpamPool, installNvIpamResources, nvIpamPath } from "../parts/nv-ipam-resources.ts";
import { executables } from "../parts/plugin.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Controller, startController } from "./parts/controller.ts";
import { type PoolCluster, startPoolCluster, until } from "./parts/pool-cluster.ts";
import type { NvObject } from "./parts/worked-examples.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });
const setBackKey = "ipam.kube-node.io/set-back";
let cluster: PoolCluster;
let controller: Controller | undefined;

beforeAll(async () => {
  if (lack.some) return;
  cluster = await startPoolCluster();
  await installNvIpamResources(cluster.client);
}, 90_000);
afterAll(async () => {
  controller?.kill("SIGKILL");
  await cluster?.close();
});

const start = () =>
  startController({
    kubeconfig: cluster.kubeconfig,
    args: ["--serve-group=nv-ipam.nvidia.com", "--lease-duration=2s"],
  });
const at = () => cluster.client.get<NvObject>(nvIpamPath("IPPool", "a"));
const allocatedTo = async () => ((await at()).status?.allocations ?? []).map(({ nodeName }) => nodeName);

async function rebuild(...words: string[]) {
  const [file = "", ...args] = executables()[0]?.command("kubectl-kube_node") ?? [];
  const env = { KUBECONFIG: cluster.kubeconfig, PATH: process.env["PATH"] };
  const options = { env, extendEnv: false, reject: false, stdin: "ignore" } as const;
  const { exitCode, stdout, stderr } = await execa(file, [...args, "rebuild", ...words], options);
  return { exitCode, stdout, stderr };
}

it.skipIf(lack.some)(
  `nothing new is given of them until they are rebuilt, and then none of what agents hold${lack.words}`,
  async () => {
    const spec = { subnet: "10.1.0.0/24", perNodeBlockSize: 4, gateway: "10.1.0.1" };
    await createNvIpamPool(cluster.client, "IPPool", "a", spec);
    await cluster.createNode("r1");
    controller = start();
    await until(() => cluster.annotation("r1", "a"), "r1 has its block");
    const setBack = await cluster.api.backUp();
    await cluster.createNode("r2");
    const given = await until(() => cluster.annotation("r2", "a"), "r2 has its block", 40_000).catch(
      async (e) => {
        console.log(
          controller
            ?.lines()
            .map((l) => JSON.stringify(l))
            .join("\n"),
          JSON.stringify(await at()),
          (await controller?.get("/metrics"))?.text
            .split("\n")
            .filter((l) => /pool_|queue_length|failures/.test(l))
            .join("\n"),
        );
        throw e;
      },
    );
  },
  180_000,
);
