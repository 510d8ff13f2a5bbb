import type { PoolAnnotation } from "../api/pool-annotation.ts";
import { CniError, code } from "../cni/error.ts";
import { isMovedIn } from "../lease/move-in-notes.ts";
import { oldPoolKey } from "../lease/nv-ipam-store.ts";
import { findRanges } from "../ranges/node-ranges.ts";
import { poolAnnotations } from "../ranges/pool-source.ts";
import { toWanted } from "../request/wanted-ranges.ts";
import { moveIn, readWhatIsOld } from "../upkeep/move-in.ts";
import { halfTime } from "./earlier-call.ts";
import type { Request } from "./request.ts";

/** Before anything is given out of a pool: what nv-ipam leased out of it is taken over, or the ADD fails with code 11. */
export async function moveInFirst(request: Request): Promise<void> {
  const { pooled, state, delegate, env, log } = request;
  if (!pooled) return;
  const [first] = pooled.pools;
  const names = pooled.pools.map(({ name }) => name);
  const source = poolAnnotations(first?.kind ?? "IPPool", names);
  const { ipam } = await findRanges({ ...toWanted(request), source });
  const annotations = ipam["annotations"] as (PoolAnnotation | undefined)[];
  const { CNI_COMMAND: _, ...rest } = env;
  const deadline = halfTime(request);
  const moved = await moveIn({ request, annotations, folders: delegate.folders, env: rest, deadline });
  const doubts = moved.filter(({ outcome }) => outcome === "doubt");
  if (moved.length > 0)
    log.info("took over what nv-ipam leased", { leases: moved.length, doubts: doubts.length });
  for (const { lease, reason } of doubts)
    log.warn("a lease of nv-ipam's is in doubt: nobody gets its address; kube-node adopt says more", {
      container: lease.containerID,
      pool: lease.pool,
      reason,
    });
  const keys = pooled.pools.map(({ kind, name }) => oldPoolKey(kind, name));
  if (isMovedIn(state.folder, keys)) return;
  throw new CniError(
    code.tryAgainLater,
    `nv-ipam's leases of ${source.label} aren't taken over yet`,
    "its store changed meanwhile, or the Node doesn't show all of these pools",
  );
}

/** Throws what an ADD would fail with; changes nothing. */
export async function checkMoveIn(request: Request): Promise<void> {
  await readWhatIsOld(request);
}
