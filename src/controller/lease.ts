import { unlessAbsent } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";

/** A coordination.k8s.io Lease, as far as an election needs it. */
export type Lease = {
  metadata: { name: string; namespace: string; resourceVersion?: string };
  spec: {
    holderIdentity?: string | null;
    leaseDurationSeconds?: number;
    acquireTime?: string | null;
    renewTime?: string | null;
    leaseTransitions?: number;
  };
};

/** What a candidate knows of the Lease: `changedAt` is when it last saw another one than before, by its own clock (milliseconds). */
export type Sight = { lease: Lease | undefined; changedAt: number };

/** Whether `self` may write itself into the Lease: nobody has it, or who has it was not heard for as long as it lasts. */
export function mayTake({ lease, changedAt }: Sight, self: string, now: number): boolean {
  const { holderIdentity, leaseDurationSeconds = 15 } = lease?.spec ?? {};
  return !holderIdentity || holderIdentity === self || now - changedAt > leaseDurationSeconds * 1000;
}

/** The Lease with `self` as its holder, whose time begins or goes on at `time`. */
export function takeLease(
  before: Lease | undefined,
  self: string,
  seconds: number,
  time: Date,
): Lease["spec"] {
  const spec = before?.spec ?? {};
  const isOurs = spec.holderIdentity === self;
  const at = microTime(time);
  return {
    holderIdentity: self,
    leaseDurationSeconds: seconds,
    acquireTime: isOurs ? (spec.acquireTime ?? at) : at,
    renewTime: at,
    leaseTransitions: (spec.leaseTransitions ?? 0) + (isOurs ? 0 : 1),
  };
}

/** V1MicroTime. */
function microTime(time: Date): string {
  return time.toISOString().replace("Z", "000Z");
}

export type LeasePlace = { namespace: string; name: string };

/** The Lease as the API server has it now; undefined where there is none. */
export function readLease(client: Client, { namespace, name }: LeasePlace): Promise<Lease | undefined> {
  return unlessAbsent(client.get<Lease>(`${pathOf(namespace)}/${name}`));
}

/** The API server refuses it (409) where somebody else wrote since `before` was read. */
export async function writeLease(
  client: Client,
  { namespace, name }: LeasePlace,
  before: Lease | undefined,
  spec: Lease["spec"],
): Promise<Lease> {
  const body = { apiVersion: "coordination.k8s.io/v1", kind: "Lease" };
  if (!before)
    return await client.create(pathOf(namespace), { ...body, metadata: { name, namespace }, spec });
  return await client.replace(`${pathOf(namespace)}/${name}`, { ...body, metadata: before.metadata, spec });
}

function pathOf(namespace: string): string {
  return `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
}
