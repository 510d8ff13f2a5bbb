import type { Part } from "../daemon/part.ts";
import { bootID, machineIDs, uptime } from "../host/machine.ts";
import type { NodeFacts } from "../kube/node.ts";
import { openAgentWord } from "../ranges/agent-word.ts";
import { onHost } from "./config.ts";
import type { AgentContext } from "./context.ts";
import { faultWords } from "./fault-words.ts";
import { healthAt, isSilent } from "./follow-health.ts";
import { metricsIn } from "./metrics.ts";
import { watchNode } from "./watch-node.ts";

/** What keeps the Node from being told to the plugin; "" where nothing does. */
type Doubt = string;

/** Follows the own Node, and tells the plugin of it for as long as the API server is heard. */
export async function startFollowing(context: AgentContext): Promise<Part> {
  const { config, log, ownNode } = context;
  const { apiErrors } = metricsIn(context.metrics);
  const word = openAgentWord(onHost(config, config.runDir));
  const boot = bootID();
  const ending = new AbortController();
  let wanted: NodeFacts | undefined;
  let doubt: Doubt = "the API server was not heard yet";
  let heardAt = Number.NEGATIVE_INFINITY;
  let triedAt = uptime();
  let fault = "";

  /** Files that can't be written are tried again at every sign of life, and complained of once. */
  function write(act: () => void): boolean {
    try {
      act();
      if (fault !== "") log.info("the plugin can be told of the Node again", {});
      fault = "";
      return true;
    } catch (error) {
      const words = faultWords(error);
      if (words !== fault)
        log.error("the plugin can't be told of the Node, and asks itself", { reason: words });
      fault = words;
      return false;
    }
  }

  function tell(): boolean {
    const isTold = write(() => (wanted && doubt === "" ? word.publish(wanted) : word.withdraw()));
    if (!isTold) removeQuietly(word.fallSilent);
    return isTold;
  }

  function onNode(node: NodeFacts | undefined): void {
    wanted = node;
    const before = doubt;
    doubt = node
      ? doubtOf(node, machineIDs(onHost(config, "/etc/machine-id")))
      : `there is no Node ${config.nodeName}`;
    if (doubt !== "" && doubt !== before) log.warn("the Node is not told to the plugin", { reason: doubt });
    tell();
    if (!isSame(ownNode.current(), node)) {
      log.debug("the Node is another now", { uid: node?.uid });
      ownNode.set(node);
    }
  }

  const done = watchNode({
    name: config.nodeName,
    connect: context.connect,
    onNode,
    onHeard: (sentAt) => {
      if (isSilent(uptime(), heardAt)) log.info("the API server is heard", {});
      heardAt = Math.max(heardAt, sentAt);
      if (tell() && doubt === "") write(() => word.vouch(boot, heardAt));
    },
    onTrouble: (reason) => {
      triedAt = uptime();
      apiErrors.inc({ verb: "WATCH", status: "none" });
      log.warn("the API server is not heard", { reason });
    },
    signal: ending.signal,
  }).catch((error) => context.fail(`the Node is followed no more: ${faultWords(error)}`));

  return {
    name: "follow",
    stop: async () => {
      ending.abort();
      await done;
      write(word.fallSilent);
    },
    health: () => healthAt(uptime(), { heardAt, triedAt, fault: fault || doubt }),
  };
}

/** What was told before may be outdated now. */
function removeQuietly(remove: () => void): void {
  try {
    remove();
  } catch {
    // The sign of life runs out by itself.
  }
}

/** A re-imaged disk carries the old kubeconfig and the old name: another machine's ranges would be given out twice. */
function doubtOf(node: NodeFacts, own: readonly string[]): Doubt {
  if (node.machineID === "") return `Node ${node.name} has no machine-id yet: its kubelet has not said it`;
  if (own.includes(node.machineID)) return "";
  const here =
    own.length === 0 ? "this machine has none in /etc/machine-id" : `this machine's is ${own.join(", ")}`;
  return `Node ${node.name} has the machine-id ${node.machineID}, but ${here}: is --node-name this machine's Node?`;
}

function isSame(one: NodeFacts | undefined, other: NodeFacts | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
