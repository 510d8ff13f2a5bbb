import { formatIp } from "../address/ip.ts";
import { convertResult, hasAddresses } from "../cni/result.ts";
import { isAtLeast } from "../cni/versions.ts";
import { namespaceID } from "../host/network-namespace.ts";
import { findRecord } from "../lease/record.ts";
import { readLeases } from "../lease/store.ts";
import { leaseFolder } from "../request/lease-folder.ts";
import type { ReadRequest } from "../request/request.ts";
import { isObject, type JsonObject } from "../text/json.ts";
import { callPlugin, type PluginOutcome } from "../upkeep/plugin-call.ts";
import type { Interrupt } from "./interrupt.ts";
import { putBack, readTraces } from "./traces.ts";
import { ifname, type Trial } from "./trial.ts";

/** One step as it went; `says` is for people. */
export type TrialStep = {
  step: "ADD" | "CHECK" | "DEL" | "LEFT";
  ok: boolean;
  says: string;
  milliseconds?: number;
  result?: JsonObject;
};

/** Is told of each step, and before it what its plugins wrote to stderr. */
export type Report = (step: TrialStep, stderr?: string) => void;

/** ADD, CHECK, DEL; then everything is put away, whatever came between, and before another word is said. */
export async function runTrial(trial: Trial, interrupt: Interrupt, report: Report): Promise<void> {
  const { request, containerID, sandbox } = trial;
  const before = readTraces([leaseFolder(request, undefined), request.state.attachments]);
  const made: Made = { links: namedBridge(request) };
  try {
    await live(trial, interrupt, report, made);
  } finally {
    const stores = [undefined, findRecord(request.state.attachments, containerID, ifname)?.record?.ipam];
    const deleted = await callUntilDone(trial, made.result);
    await sandbox?.remove();
    const left = [...leftOf(trial, stores), ...(await putBack(before, made.links))];
    report(outcome("DEL", deleted), deleted.stderr);
    report({ step: "LEFT", ok: left.length === 0, says: left.length === 0 ? "nothing" : left.join(", ") });
  }
}

/** What an ADD made, as far as it said so. */
type Made = { links: string[]; result?: JsonObject };

async function live(trial: Trial, interrupt: Interrupt, report: Report, made: Made): Promise<void> {
  if (interrupt.by !== undefined) return;
  const { result, ...added } = await call(trial, "ADD");
  if (result && added.error === undefined) made.result = result;
  made.links.push(...hostLinks(made.result));
  report(
    {
      ...outcome("ADD", added, describeAddresses(made.result)),
      ...(made.result && { result: made.result }),
    },
    added.stderr,
  );
  if (added.error !== undefined || interrupt.by !== undefined) return;
  if (!isAtLeast(trial.request.network.cniVersion, "0.4.0")) return;
  const checked = await call(trial, "CHECK", made.result);
  report(outcome("CHECK", checked), checked.stderr);
}

async function call(
  { program, request, env }: Trial,
  verb: string,
  prevResult?: JsonObject,
): Promise<PluginOutcome> {
  const config = { ...request.network.raw, ...(prevResult && { prevResult }) };
  return await callPlugin({
    program: { ...program, keepStderr: true },
    env: { ...env, CNI_COMMAND: verb },
    config,
    seconds: request.budget.timeout + 10,
  });
}

/** Ctrl-C reaches what is executed, too: a DEL that it ended is made again. */
async function callUntilDone(trial: Trial, prevResult: JsonObject | undefined): Promise<PluginOutcome> {
  const first = await call(trial, "DEL", prevResult);
  return first.signal === undefined ? first : await call(trial, "DEL", prevResult);
}

function outcome(step: TrialStep["step"], { error, milliseconds }: PluginOutcome, says = "good"): TrialStep {
  if (error === undefined) return { step, ok: true, says, milliseconds };
  return { step, ok: false, says: `failed: ${error}`, milliseconds };
}

function describeAddresses(result: JsonObject | undefined): string {
  if (!hasAddresses(result)) return "no addresses";
  const { ips } = convertResult(result, "1.0.0") as { ips: { address: string; gateway?: unknown }[] };
  return ips
    .map(({ address, gateway }) => (gateway === undefined ? address : `${address} (gateway ${gateway})`))
    .join(", ");
}

/** The bridge that the plugin makes even where its ADD fails after that. */
function namedBridge({ network: { raw } }: ReadRequest): string[] {
  if (raw["type"] !== "bridge") return [];
  return [typeof raw["bridge"] === "string" && raw["bridge"] !== "" ? raw["bridge"] : "cni0"];
}

/** Links of the result that are on the machine itself. */
function hostLinks(result: JsonObject | undefined): string[] {
  const interfaces: unknown[] = Array.isArray(result?.["interfaces"]) ? result["interfaces"] : [];
  return interfaces
    .filter(isObject)
    .flatMap(({ name, sandbox }) => (typeof name === "string" && !sandbox ? [name] : []));
}

/** What of the container is still there. */
function leftOf({ request, containerID, sandbox }: Trial, ipams: (JsonObject | undefined)[]): string[] {
  const stores = new Set(ipams.map((ipam) => leaseFolder(request, ipam)));
  const leases = [...stores].flatMap(readLeases).filter((lease) => lease.containerID === containerID);
  return [
    ...leases.map(({ ip, path }) => `the lease of ${formatIp(ip)} (${path})`),
    ...(findRecord(request.state.attachments, containerID, ifname)
      ? [`a record in ${request.state.attachments}`]
      : []),
    ...(sandbox && namespaceID(sandbox.path) !== "gone" ? [`the namespace ${sandbox.path}`] : []),
  ];
}
