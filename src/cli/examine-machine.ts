import { machineIDs } from "../host/machine.ts";
import { readAgentFile } from "../ranges/agent-file.ts";
import { readHere } from "../ranges/wanted.ts";
import { formatAge } from "../terminal/age.ts";
import { execute } from "./execute.ts";
import { type Finding, good, warn } from "./finding.ts";

/** What is the machine's own, whatever the network. */
export async function examineMachine(): Promise<Finding[]> {
  return [examineMachineID(), examineAgent(), await examineNamespaces()];
}

function examineMachineID(): Finding {
  const [id, ...more] = machineIDs();
  if (id === undefined)
    return warn(
      "machine-id",
      "there is none in /etc/machine-id",
      "systemd-machine-id-setup; without one, set ipam.nodeName",
    );
  return good("machine-id", [id, ...more].join(", "));
}

function examineAgent(): Finding {
  const reasons: string[] = [];
  const agent = readAgentFile(readHere(), (why) => void reasons.push(why));
  if (!agent) return good("agent", `${reasons.join()}: every ADD asks the API server`);
  return good(
    "agent",
    `it follows Node ${agent.name}, and heard from the API server ${formatAge(agent.silence * 1000)} ago`,
  );
}

/** Tried in a way that leaves nothing, whatever comes between. */
async function examineNamespaces(): Promise<Finding> {
  const { ok, says } = await execute("unshare", "--net", "ip", "link");
  if (ok) return good("namespaces", "network namespaces can be made");
  const remedy = "run it as root, with iproute2 installed: kube-node try can't execute main plugins here";
  return warn("namespaces", `no network namespace can be made: ${says}`, remedy);
}
