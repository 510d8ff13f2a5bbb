import { setTimeout as pause } from "node:timers/promises";
import { formatIp } from "../address/ip.ts";
import type { Part } from "../daemon/part.ts";
import { uptime } from "../host/machine.ts";
import { freeLeak } from "../upkeep/free-leak.ts";
import { listSandboxes, type Sandboxes } from "../upkeep/sandboxes.ts";
import { onHost } from "./config.ts";
import type { AgentContext } from "./context.ts";
import { followPods } from "./follow-pods.ts";
import { believable, type Look, lookForLeaks } from "./look-for-leaks.ts";
import { metricsIn } from "./metrics.ts";
import { networksIn } from "./networks.ts";
import { misplacedFolders } from "./store-folders.ts";
import { nameOf, type Suspects, suspect } from "./suspects.ts";

type Found = Look["leaks"][number];

/** Milliseconds: the first look waits for the pods to be known, but not for ever. */
const patience = 10_000;

/**
 * Looks for leaks at start and again and again, and frees those that were proven in two looks with the grace period between
 * them. Nothing that it can't do ends the agent.
 */
export async function startLeaks(context: AgentContext): Promise<Part> {
  const { config, log, signal } = context;
  const pods = followPods(context);
  const networks = networksIn(context);
  const metrics = metricsIn(context.metrics);
  let suspects: Suspects = new Map();
  let last: Look | undefined;
  let words = "has not looked yet";
  let isWell = false;
  let wasInSight = true;

  async function look(): Promise<void> {
    const { places } = await networks.find();
    const listed = await sandboxesNow(context);
    const before =
      last ?? lookForLeaks(places, { holders: new Map(), pods: undefined, sandboxes: undefined });
    const sandboxes = believable(listed, before);
    last = lookForLeaks(places, { holders: before.holders, pods: pods.current(), sandboxes });
    const now = uptime() * 1000;
    const { suspects: next, due } = suspect(suspects, last.leaks, now, config.graceMs);
    for (const leak of last.leaks) if (!suspects.has(nameOf(leak))) tellFound(leak);
    suspects = next;
    show(last);
    const misplaced = misplacedFolders(config, [...config.dataDirs, ...places.map(({ dataDir }) => dataDir)]);
    for (const leak of due) if (!config.dryRun && misplaced.length === 0) await free(leak);
    words = misplaced[0] ?? describe(last, config.dryRun);
    isWell = misplaced.length === 0;
  }

  async function free(leak: Found): Promise<void> {
    if (signal.aborted) return;
    const runtime = { folders: [onHost(config, config.cniBinDir)], env: {} };
    const failure = await freeLeak(leak, leak.inventory, runtime);
    const { network, kind } = leak;
    metrics.leaksFreed.inc({ network, kind, result: failure === undefined ? "freed" : "failed" });
    if (failure === undefined) log.info("freed a leak", fieldsOf(leak));
    else log.warn("a leak can't be freed", { ...fieldsOf(leak), failure });
  }

  function tellFound(leak: Found): void {
    metrics.leaksFound.inc({ network: leak.network, kind: leak.kind });
    log.info("found a leak", { ...fieldsOf(leak), freeable: leak.freeable });
  }

  function show({ inventories, leaks, unread, evidence }: Look): void {
    metrics.attachments.reset();
    metrics.leaks.reset();
    for (const { network, holdings } of inventories)
      for (const { verdict, record } of holdings)
        if (record) metrics.attachments.inc({ network, state: verdict.state });
    for (const { network, kind, freeable } of leaks)
      metrics.leaks.inc({ network, kind, freeable: String(freeable) });
    for (const [kind, isThere] of Object.entries(evidence)) metrics.evidence.set({ kind }, Number(isThere));
    if (wasInSight && !evidence.namespaces)
      log.warn("the machine's network namespaces are out of sight", {
        reason: "only earlier boots prove that something has leaked: give the agent hostPID and SYS_PTRACE",
      });
    wasInSight = evidence.namespaces;
    metrics.looks.inc({ result: unread.length === 0 ? "complete" : "partial" });
    metrics.lastLook.set(Date.now() / 1000);
    for (const { network, reason } of unread) log.warn("a network can't be read", { network, reason });
  }

  async function run(): Promise<void> {
    const asked = Date.now();
    while (!signal.aborted && !pods.current() && Date.now() - asked < patience) await rest(100);
    while (!signal.aborted) {
      await look().catch((error: Error) => {
        metrics.looks.inc({ result: "failed" });
        [words, isWell] = [`the last look failed: ${error.message}`, false];
        log.error("a look for leaks failed", { reason: error.message });
      });
      // Suspects are looked at again as soon as they may be freed.
      const soon =
        !config.dryRun && last?.leaks.some(({ freeable }) => freeable)
          ? Math.max(config.graceMs, 500)
          : Number.POSITIVE_INFINITY;
      await rest(Math.min(config.leakIntervalMs, soon) * (1 + Math.random() * 0.1));
    }
  }

  async function rest(milliseconds: number): Promise<void> {
    await pause(milliseconds, undefined, { signal }).catch(() => {});
  }

  const running = run();
  return {
    name: "leaks",
    stop: async () => {
      await Promise.all([running, pods.stop(), networks.stop()]);
    },
    health: () => ({ live: true, ready: isWell, words }),
  };
}

async function sandboxesNow({ config, log }: AgentContext): Promise<Sandboxes | undefined> {
  if (config.criSocket === undefined) return undefined;
  try {
    return await listSandboxes(config.criSocket);
  } catch (error) {
    log.warn("sandboxes are not known", { reason: (error as Error).message });
    return undefined;
  }
}

function fieldsOf({ network, dataDir, kind, subject, reason, holding }: Found) {
  const pod = holding?.record?.record?.pod;
  return {
    network,
    dataDir,
    kind,
    subject,
    reason,
    ...(holding && {
      containerID: holding.containerID,
      ifname: holding.ifname,
      addresses: holding.leases.map(({ ip }) => formatIp(ip)),
    }),
    ...(pod && { pod: `${pod.namespace ?? ""}/${pod.name ?? ""}`, podUID: pod.uid ?? "" }),
  };
}

function describe({ leaks, inventories, unread, evidence }: Look, dryRun: boolean): string {
  const missing = Object.entries(evidence).flatMap(([kind, isThere]) => (isThere ? [] : [kind]));
  const without = missing.length > 0 ? `, without evidence of ${missing.join(" and ")}` : "";
  const left = unread.length > 0 ? `, ${unread.length} networks can't be read` : "";
  return `${leaks.length} leaks in ${inventories.length} networks${left}${without}${dryRun ? "; frees nothing (--dry-run)" : ""}`;
}
