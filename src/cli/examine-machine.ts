import { machineIDs } from "../host/machine.ts";
import { readAgentFile } from "../ranges/agent-file.ts";
import { readHere } from "../ranges/wanted.ts";
import { formatAge } from "../terminal/age.ts";
import { type Finding, good, warn } from "./finding.ts";
import { makeSandbox } from "./sandbox.ts";

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

async function examineNamespaces(): Promise<Finding> {
  const sandbox = await makeSandbox(`kube-node-try-${process.pid}`);
  if ("why" in sandbox)
    return warn(
      "namespaces",
      sandbox.why,
      "run it as root, with iproute2 installed; kube-node try can't execute main plugins here",
    );
  await sandbox.remove();
  return good("namespaces", "network namespaces can be made");
}
