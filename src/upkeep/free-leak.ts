import type { Environment } from "../cni/environment.ts";
import { bootID, uptime } from "../host/machine.ts";
import type { Holding, Inventory } from "../lease/inventory.ts";
import type { Leak } from "../lease/leaks.ts";
import type { AttachmentRecord } from "../lease/record.ts";
import { isAdopted, removeLeftovers } from "../lease/state.ts";
import { reclaimEmptyLeases, reclaimedContainer } from "../lease/store.ts";
import { giveBack, noteIfPossible, takeOver } from "../lease/take-over.ts";
import { longestCall } from "../request/budget.ts";
import { callOwnDel } from "./own-del.ts";

/** What the plugin's DEL needs: CNI_PATH's folders, and the rest of its environment. */
export type Runtime = { folders: string[]; env: Environment };

/** Frees what has leaked, by the plugin's own DEL where it is anybody's. Undefined where that went well, else why not. */
export async function freeLeak(
  leak: Leak,
  inventory: Inventory,
  runtime: Runtime,
): Promise<string | undefined> {
  try {
    return await free(leak, inventory, runtime);
  } catch (error) {
    if (!(error instanceof Error && "syscall" in error)) throw error;
    return error.message; // A disk that is full, or can't be written.
  }
}

async function free(leak: Leak, inventory: Inventory, runtime: Runtime): Promise<string | undefined> {
  if (leak.holding) return await freeHolding(leak.holding, inventory, runtime);
  if (leak.kind === "empty-lease") return await freeEmptyLeases(inventory, runtime);
  removeLeftovers(inventory.state);
  return undefined;
}

/** A runtime may attach the very container anew, right now: the claim lets one of the two go on. */
async function freeHolding(
  holding: Holding,
  { network, dataDir, state }: Inventory,
  runtime: Runtime,
): Promise<string | undefined> {
  const { containerID, ifname, record, leases } = holding;
  const claim = isAdopted(state)
    ? takeOver(state.attachments, claimFor(holding), record?.links ?? [])
    : undefined;
  if (isAdopted(state) && !claim) return "it was attached anew just now";
  // Without a record, where its lease lies says which dataDir it was given out of.
  const own = record ? undefined : leases[0]?.path.split("/").slice(0, -2).join("/");
  const failure = await callOwnDel({
    ...{ network, dataDir: own ?? dataDir, containerID, ifname, ...runtime },
    // That DEL goes on where this process is killed: whoever comes next waits for it.
    ...(claim && { started: (pid: number) => noteIfPossible(claim, pid) }),
  });
  if (failure !== undefined && claim) giveBack(claim);
  return failure;
}

/** Keeps what is known of the attachment: for the DEL to go by, and for the next audit, were this one killed. */
function claimFor({ containerID, ifname, record: found }: Holding): AttachmentRecord {
  const { pod, delegate, ipam, netns, netnsID } = found?.record ?? {};
  return {
    version: 1,
    containerID,
    ...(ifname !== "" && { ifname }),
    ...(netns !== undefined && { netns }),
    ...(netnsID !== undefined && { netnsID }),
    ...(pod && { pod }),
    ...(delegate !== undefined && { delegate }),
    ...(ipam && { ipam }),
    time: new Date().toISOString(),
    bootID: bootID(),
    uptime: uptime(),
    nonce: `${process.pid}-${Math.floor(Math.random() * 1e9).toString(36)}`,
  };
}

/** All of the network at once: they are given to a container of ours, whose DEL frees them under host-local's lock. */
async function freeEmptyLeases(
  { network, stores }: Inventory,
  runtime: Runtime,
): Promise<string | undefined> {
  for (const store of stores) {
    if (reclaimEmptyLeases(store, longestCall) === 0) continue;
    const dataDir = store.slice(0, store.lastIndexOf("/"));
    const failure = await callOwnDel({ network, dataDir, ...reclaimedContainer, ...runtime });
    if (failure !== undefined) return failure;
  }
  return undefined;
}
