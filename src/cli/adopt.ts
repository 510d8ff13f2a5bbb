import { existsSync } from "node:fs";
import { formatIp } from "../address/ip.ts";
import { readOldStore } from "../lease/nv-ipam-store.ts";
import { defaultDataDir } from "../lease/store.ts";
import { adoptRecords, livingOf, unrecorded } from "../upkeep/adopt-records.ts";
import { judgeLives, type LifeEvidence } from "../upkeep/life.ts";
import { findNetworks, readConfigured } from "../upkeep/networks.ts";
import { listSandboxes } from "../upkeep/sandboxes.ts";
import { moveNetworksIn } from "./adopt-nv-ipam.ts";
import { type AdoptedLease, adoptedJson, formatAdopted, summarizeAdopted } from "./adopt-report.ts";
import { choice, defineCommand, list, output, text, toggle } from "./command.ts";
import { findGone, idsOf } from "./gone-containers.ts";
import { type NetworkChoice, networkInputs, readInventories } from "./inventories.ts";
import { cniPathInput, pluginFolders } from "./request.ts";
import type { Terminal } from "./terminal.ts";

export const adopt = defineCommand({
  name: "adopt",
  summary: "takes over what other plugins leased: nv-ipam's store, host-local's leases without a record",
  details:
    "nv-ipam's live leases become leases of host-local's, each with the record of an ADD, for the networks whose configurations " +
    "name their pools; its store is never changed. Leases of host-local's from before kube-node get records where libcni's cache and " +
    "the machine's network namespaces tell whose they are. Nothing is taken over on doubt: each is listed, and nobody gets its " +
    "address. Without evidence of its end a lease counts as alive. It can be run again at any time.",
  inputs: {
    dryRun: toggle("say what would be done, and change nothing"),
    from: choice(["both", "nv-ipam", "host-local"], "whose leases"),
    conf: list(
      "FILE",
      "configurations outside of --conf-dir: as NetworkAttachmentDefinitions have them, say",
    ),
    gone: list("ID", "these containers are gone, as you know; their ids, or beginnings of one's alone"),
    criSocket: text("FILE", "the container runtime's socket: whose sandbox it doesn't have is gone"),
    ...networkInputs,
    cniPath: cniPathInput,
    output,
  },
  examples: [
    ["kube-node adopt --dry-run", "what would be taken over, and what is in doubt"],
    ["kube-node adopt --from=nv-ipam --conf=net1.json", "nv-ipam's leases, for a network that Multus has"],
    ["kube-node adopt --gone=3f2a6f5c9e014", "pass over what a container held that is gone"],
  ],
  fails: "a lease is in doubt, or a network's leases could not be taken over",
  async run({ dryRun, from, conf, gone, criSocket, cniPath, output, ...networks }, terminal) {
    const folders = pluginFolders(terminal.env, cniPath);
    const sandboxes = criSocket === undefined ? undefined : await listSandboxes(criSocket);
    const isNew = from !== "host-local" && !isOnMachine(networks);
    const evidence: LifeEvidence = { sandboxes, gone: readGone(gone, { from, isNew }, networks, terminal) };
    const order = { ...networks, conf, folders, evidence, dryRun };
    const moved = from === "host-local" ? undefined : await moveNetworksIn(order, terminal);
    const recorded = from === "nv-ipam" || isNew ? undefined : adoptFromHostLocal(order, terminal);
    const all = [...(moved?.leases ?? []), ...(recorded?.leases ?? [])];
    const failures = [...(moved?.failures ?? [])];
    if (output === "json") terminal.say(JSON.stringify({ leases: all.map(adoptedJson), failures }, null, 2));
    else {
      if (all.length > 0) terminal.say(formatAdopted(all, terminal.paint));
      for (const failure of failures) terminal.note(failure);
      terminal.note(summarizeAdopted(all, dryRun));
    }
    const isClean = failures.length === 0 && recorded?.complete !== false;
    return isClean && !all.some(({ outcome }) => outcome === "doubt") ? 0 : 1;
  },
});

/** Of those that nv-ipam's store or host-local's names: from the one or the other, but each may have one that begins so. */
function readGone(
  words: string[],
  { from, isNew }: { from: string; isNew: boolean },
  networks: NetworkChoice,
  terminal: Terminal,
): Set<string> {
  if (words.length === 0) return new Set();
  const old = from === "host-local" ? [] : (readOldStore()?.leases ?? []);
  const quiet = { ...terminal, note: () => {} };
  const { inventories, complete } = isNew
    ? { inventories: [], complete: true }
    : readInventories(networks, quiet);
  return findGone(words, {
    ids: [...old.map(({ containerID }) => containerID), ...idsOf(inventories)],
    complete,
  });
}

/** A network of which nv-ipam alone has leases has no store of host-local's yet, nor need there be a folder for it. */
function isOnMachine({ network, dataDir, confDir }: NetworkChoice): boolean {
  if (dataDir !== undefined && !existsSync(dataDir)) return false;
  if (network === undefined) return true;
  const configured = readConfigured(confDir ?? "/etc/cni/net.d", () => {});
  const folders =
    dataDir === undefined ? [defaultDataDir, ...configured.map((one) => one.dataDir)] : [dataDir];
  return [...findNetworks(folders), ...configured].some((place) => place.network === network);
}

type Order = Parameters<typeof moveNetworksIn>[0];

function adoptFromHostLocal(
  { evidence, dryRun, ...choice }: Order,
  terminal: Parameters<typeof readInventories>[1],
): { leases: AdoptedLease[]; complete: boolean } {
  const { inventories, complete } = readInventories(choice, terminal);
  const judge = judgeLives(
    inventories.flatMap((one) => unrecorded(one).flatMap((holding) => livingOf(holding) ?? [])),
    evidence,
  );
  const leases = inventories.flatMap((inventory) =>
    adoptRecords(inventory, judge, dryRun).map(({ holding, life, outcome, reason }): AdoptedLease => {
      const { containerID, ifname, leases: own } = holding;
      return {
        ...{ from: "host-local" as const, network: inventory.network, containerID, ifname, outcome, reason },
        addresses: own.map(({ ip }) => formatIp(ip)),
        pod: life.pod ?? {},
      };
    }),
  );
  return { leases, complete };
}
