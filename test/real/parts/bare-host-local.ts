import { callPlugin, type PluginAnswer } from "../../parts/plugin.ts";
import type { Subject } from "./subjects.ts";
import type { Worker } from "./worker.ts";

/** Host-local by itself, as before us: network "net1" of the worker's dataDir. */
export function callHostLocal(
  { hostLocal }: Pick<Subject, "hostLocal">,
  { dataDir }: Pick<Worker, "dataDir">,
  verb: string,
  { id = "c1", ifname = "eth0", subnets = ["10.1.0.0/24"] } = {},
): Promise<PluginAnswer> {
  const ranges = subnets.map((subnet) => [{ subnet }]);
  return callPlugin({
    command: [hostLocal.path],
    verb,
    containerID: id,
    ifname,
    netns: "/var/run/netns/none",
    path: hostLocal.folder,
    stdin: { cniVersion: "1.0.0", name: "net1", ipam: { type: "host-local", dataDir, ranges } },
  });
}
