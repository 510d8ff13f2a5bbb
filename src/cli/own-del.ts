import { longestTimeout } from "../api/plugin-config.ts";
import type { Environment } from "../cni/environment.ts";
import { run } from "../host/exec.ts";
import { ownProgram } from "../host/own-program.ts";
import { isObject } from "../text/json.ts";

/** Whose DEL, of which network; `folders` are CNI_PATH. */
export type OwnDel = {
  network: string;
  dataDir: string;
  containerID: string;
  ifname: string;
  folders: string[];
  env: Environment;
};

/** Calls the plugin's own DEL as a runtime would. Undefined where it succeeds, else what it said. */
export async function callOwnDel(del: OwnDel): Promise<string | undefined> {
  const { network, dataDir, containerID, ifname, folders, env } = del;
  const deadline = Date.now() + longestTimeout * 1000;
  const call = {
    CNI_COMMAND: "DEL",
    CNI_CONTAINERID: containerID,
    // One must be given, though leases of old releases have none.
    CNI_IFNAME: ifname || "eth0",
    CNI_NETNS: "",
    CNI_ARGS: "IgnoreUnknown=1",
    CNI_PATH: folders.join(":"),
  };
  const { stdout, exitCode, signal } = await run({
    ...ownProgram("kube-node"),
    env: { ...env, ...call },
    stdin: JSON.stringify({ cniVersion: "1.0.0", name: network, ipam: { type: "kube-node", dataDir } }),
    time: { deadline, end: deadline + 5000 },
  });
  return exitCode === 0
    ? undefined
    : (errorIn(stdout) ?? `it ended with ${signal ?? `exit code ${exitCode}`}`);
}

/** The words of a CNI error document. */
function errorIn(stdout: string): string | undefined {
  try {
    const answer: unknown = JSON.parse(stdout);
    if (!isObject(answer) || typeof answer["msg"] !== "string") return undefined;
    return typeof answer["details"] === "string" ? `${answer["msg"]}: ${answer["details"]}` : answer["msg"];
  } catch {
    return undefined;
  }
}
