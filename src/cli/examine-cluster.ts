import { CniError } from "../cni/error.ts";
import { machineIDs } from "../host/machine.ts";
import { type Connection, readConnection } from "../kube/connection.ts";
import { get, type Limits } from "../kube/request.ts";
import { askOwnNode, type NodeAnswer } from "../ranges/own-node.ts";
import type { ReadRequest } from "../request/request.ts";
import { formatAge } from "../terminal/age.ts";
import { type Finding, fail, failBy, good, warn } from "./finding.ts";

/** Seconds of difference between the clocks that are worth a word, and those that credentials don't survive. */
const worthAWord = { warn: 5, fail: 300 };

/** Part of a client certificate's life in which it should have been renewed: kubelets do so after 70 to 90 parts in a hundred. */
const renewal = 0.1;

/** Credentials, the API server, what it lets us do, and its clock. Throws a CniError where there are no credentials. */
export async function examineCluster(request: ReadRequest): Promise<Finding[]> {
  const deadline = Date.now() + request.budget.patience.long * 1000;
  const { env, kubeconfig } = request;
  const connection = await readConnection({ env, deadline, kubeconfig });
  const skews: number[] = [];
  const hear: Limits["hear"] = (header) => void skews.push(...skewOf(header("date")));
  const limits = { deadline, maxBytes: 32 << 20, hear };
  const findings = [await examineKubeconfig(connection), await examineOwnNode(connection, request, limits)];
  const [skew] = skews;
  if (skew === undefined) return findings; // It has said nothing.
  return [...findings, await examineList(connection, limits), examineClock(skew)];
}

async function examineKubeconfig(connection: Connection): Promise<Finding> {
  const { certificateLife } = await import("../kube/credential-fault.ts");
  const life = certificateLife(connection);
  const says = `${connection.origin}: ${connection.server}`;
  if (!life) return good("kubeconfig", says);
  const left = life.to - Date.now();
  if (left <= 0)
    return fail(
      "kubeconfig",
      `${says}; its client certificate has run out`,
      "renew it, or set this machine's clock",
    );
  if (left > renewal * (life.to - life.from)) return good("kubeconfig", says);
  return warn(
    "kubeconfig",
    `${says}; its client certificate runs out in ${formatAge(left)}`,
    "renew it: kubelets do so by themselves while they can reach the API server",
  );
}

async function examineOwnNode(
  connection: Connection,
  { nodeName, env }: ReadRequest,
  limits: Limits,
): Promise<Finding> {
  const given = nodeName ?? env["NODE_NAME"];
  const started = performance.now();
  let answer: NodeAnswer;
  try {
    answer = await askOwnNode(connection, { machineIDs: machineIDs(), ...(given && { given }) }, limits);
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    return failBy("own Node", error);
  }
  if (answer.kind === "outage") return fail("own Node", answer.reason, remedyOf(answer.status));
  if (answer.kind === "absent")
    return fail("own Node", answer.message, "check ipam.nodeName, and kubectl get nodes");
  const says = `${answer.node.name}, read in ${Math.round(performance.now() - started)} ms`;
  return answer.warning ? warn("own Node", answer.warning, "check ipam.nodeName") : good("own Node", says);
}

function remedyOf(status: number | undefined): string {
  if (status === 401) return "renew the credentials";
  if (status === 403)
    return "allow these credentials to get the Node: the kubelet's may, others need RBAC (examples/rbac)";
  return "kubectl --kubeconfig=… get nodes from here shows whether it is the network; pods go on with last-known ranges meanwhile";
}

/** To be refused is as good: it is needed only where the Node's name can't be known. */
async function examineList(connection: Connection, limits: Limits): Promise<Finding> {
  const answer = await get(connection, "/api/v1/nodes?limit=1", limits);
  if (answer.kind === "object") return good("list of Nodes", "may be read; the own Node would do");
  if (answer.kind === "outage" && answer.status === 403)
    return good("list of Nodes", "may not be read, and needn't");
  return warn("list of Nodes", answer.kind === "outage" ? answer.reason : answer.message);
}

/** Seconds that this machine's clock is ahead, where the header says; it has whole seconds. */
function skewOf(date: string | undefined): number[] {
  const server = Date.parse(date ?? "");
  return Number.isNaN(server) ? [] : [(Date.now() - server - 500) / 1000];
}

function examineClock(skew: number): Finding {
  const size = Math.abs(skew);
  if (size < worthAWord.warn) return good("clock", "as the API server's");
  const says = `this machine is ${formatAge(size * 1000)} ${skew > 0 ? "ahead of" : "behind"} the API server`;
  const remedy =
    "set the clock, and keep it so (chrony, systemd-timesyncd): certificates and tokens go by it";
  return size < worthAWord.fail ? warn("clock", says, remedy) : fail("clock", says, remedy);
}
