import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { EmbeddedApiServer } from "../../parts/embedded-api-server.ts";
import { nvIpamStoreOf, type OldEntry, putNvIpamStore } from "./nv-ipam-store.ts";
import { makePooledWorker, type PooledWorker } from "./pooled-worker.ts";
import { withMounts } from "./private-mounts.ts";
import type { Subject } from "./subjects.ts";
import type { Difference } from "./worker.ts";

export const gateway = "10.1.0.1";
export const block = { subnet: "10.1.0.0/16", ranges: ["10.1.0.2-10.1.0.9"], gateway };

/** A machine whose executable is called by nv-ipam's name, for its configurations. */
export async function makeOldMachine(
  server: EmbeddedApiServer,
  subject: Subject,
  entries: OldEntry[],
  ...pools: Parameters<PooledWorker["give"]>[0][]
) {
  const worker = await makePooledWorker(server, subject);
  for (const pool of pools.length > 0 ? pools : [{ blocks: [block] }]) await worker.give(pool);
  const store = putNvIpamStore(worker.machine.cni, nvIpamStoreOf(entries));
  const text = readFileSync(store, "utf8");
  const named = (command: string[]) =>
    // Namespaces are where they are: in the machine's /run.
    withMounts(
      { "/var/lib/cni": worker.machine.cni },
      command.map((word) => word.replace(/(?<=\/)kube-node(?=$|\.ts$)/, "nv-ipam")),
    );
  const as = (difference: Difference = {}): Difference => ({
    ifname: "net1",
    wrap: named,
    ...difference,
    ipam: { type: "nv-ipam", poolName: "a", ...difference.ipam },
  });
  const recordOf = (id: string) =>
    JSON.parse(readFileSync(join(worker.state(), "attachments", `${id}:net1`), "utf8"));
  return {
    ...worker,
    store,
    text,
    as,
    recordOf,
    note: () => JSON.parse(readFileSync(join(worker.state(), "nv-ipam-moved"), "utf8")),
  };
}
