import { longestTimeout } from "../api/plugin-config.ts";
import type { Environment } from "../cni/environment.ts";
import { ownProgram } from "../host/own-program.ts";
import { callPlugin } from "./plugin-call.ts";

/** Whose DEL, of which network; `folders` are CNI_PATH. */
export type OwnDel = {
  network: string;
  dataDir: string;
  containerID: string;
  ifname: string;
  folders: string[];
  env: Environment;
  started?: (pid: number) => void;
};

/** Calls the plugin's own DEL as a runtime would. Undefined where it succeeds, else what it said. */
export async function callOwnDel(del: OwnDel): Promise<string | undefined> {
  const { network, dataDir, containerID, ifname, folders, env, started } = del;
  const call = {
    CNI_COMMAND: "DEL",
    CNI_CONTAINERID: containerID,
    // One must be given, though leases of old releases have none.
    CNI_IFNAME: ifname || "eth0",
    CNI_NETNS: "",
    CNI_ARGS: "IgnoreUnknown=1",
    CNI_PATH: folders.join(":"),
  };
  const { error } = await callPlugin({
    program: ownProgram("kube-node"),
    env: { ...env, ...call },
    config: { cniVersion: "1.0.0", name: network, ipam: { type: "kube-node", dataDir } },
    seconds: longestTimeout,
    ...(started && { started }),
  });
  return error;
}
