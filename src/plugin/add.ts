import { type Attachment, type CallArguments, podOf } from "../cni/environment.ts";
import { CniError } from "../cni/error.ts";
import { noteDelegate, removeRecord } from "../lease/record.ts";
import { findRanges } from "../ranges/node-ranges.ts";
import { delegateIpam, gateFamilies, withIpam } from "../request/delegate-config.ts";
import { findDelegate } from "../request/find-delegate.ts";
import { toWanted } from "../request/wanted-ranges.ts";
import type { JsonObject } from "../text/json.ts";
import { claimAttachment } from "./attachment.ts";
import { callDelegate, UnsettledError } from "./delegate.ts";
import { outlastDelegate } from "./earlier-call.ts";
import type { Request } from "./request.ts";

/** The delegate's result, for this node's ranges. */
export async function add(request: Request, attachment: Attachment, args: CallArguments): Promise<string> {
  const pod = podOf(args);
  const path = findDelegate(request.delegate);
  request.pooled?.begin();
  const found = await findRanges(toWanted(request));
  const ungated = delegateIpam(request, request.prepare(found.ipam));
  const gated = gateFamilies(ungated, request.ipv4Namespaces, pod, found.node);
  if (request.pooled?.isMovedIn(request.state.folder) === false)
    await (await import("./move-in.ts")).moveInFirst(request);
  const stateFolder = request.state.folder;
  const asking = request.pooled?.askFor(gated, { node: found.node, args, env: request.env, stateFolder });
  const { ipam, env } = asking ?? { ipam: gated, env: request.env };
  const { claim, tookOver } = await claimAttachment(request, attachment, pod, ipam);
  const config = { ...withIpam(request, ipam), ...(asking && { ...asking.raw, ipam }) };
  const started = (pid: number) => noteDelegate(claim, pid);
  try {
    if (tookOver) {
      await outlastDelegate(request, tookOver);
      await callDelegate(request, path, config, { ...request.env, CNI_COMMAND: "DEL" }, started);
    }
    const result = await allocate({ ...request, env }, path, config, attachment, started);
    return asking ? asking.answer(result) : result;
  } catch (error) {
    // A delegate that said no holds nothing; of one that was ended, DEL finds the record.
    if (error instanceof CniError && !(error instanceof UnsettledError)) {
      const { containerID, ifname } = attachment;
      removeRecord(request.state.attachments, containerID, ifname, claim.record.nonce);
    }
    throw error;
  }
}

/** Where the range is full, pods that died unnoticed make room once. */
async function allocate(
  request: Request,
  path: string,
  config: JsonObject,
  attachment: Attachment,
  started: (pid: number) => void,
): Promise<string> {
  try {
    return await callDelegate(request, path, config, request.env, started);
  } catch (error) {
    if (!isExhausted(error)) throw error;
    const { releaseDead } = await import("./release-dead.ts");
    if ((await releaseDead(request, attachment)) === 0) throw error;
    return await callDelegate(request, path, config, request.env, started);
  }
}

/** host-local's words: its errors all have one code. */
function isExhausted(error: unknown): boolean {
  return error instanceof CniError && error.message.includes("no IP addresses available");
}
