import { setTimeout as sleep } from "node:timers/promises";
import { nvIpamLease } from "../api/nv-ipam.ts";
import { ApiError } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import { asManager } from "./field-manager.ts";
import { findLeaseHolder, type LeaseHolder } from "./lease-holder.ts";

type Owned = { metadata?: { ownerReferences?: { kind: string; name: string }[] } };

/** The Deployment whose pod holds a Lease, by its owners; undefined where it isn't one's, or they can't be read. */
export async function deploymentOf(
  client: Client,
  { namespace, holder }: LeaseHolder,
): Promise<string | undefined> {
  const place = `namespaces/${encodeURIComponent(namespace)}`;
  const [pod = ""] = holder.split("_");
  const set = await ownerOf(client, `/api/v1/${place}/pods/${encodeURIComponent(pod)}`, "ReplicaSet");
  return set && (await ownerOf(client, `/apis/apps/v1/${place}/replicasets/${set}`, "Deployment"));
}

async function ownerOf(client: Client, path: string, kind: string): Promise<string | undefined> {
  try {
    const { metadata } = await client.get<Owned>(path);
    return metadata?.ownerReferences?.find((one) => one.kind === kind)?.name;
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}

/** What to do about nv-ipam's controller, for people. */
export function describeStop({ namespace, holder }: LeaseHolder, deployment: string | undefined): string {
  const what = `${holder} holds the Lease ${namespace}/${nvIpamLease}`;
  return deployment === undefined
    ? `${what}: scale its Deployment to 0`
    : `${what}: kubectl -n ${namespace} scale deployment ${deployment} --replicas=0 (or --stop-controller)`;
}

const patience = 60_000;

/** Scales it to 0, and waits until its Lease is free. Throws an Error where it isn't in time, or there is no Deployment. */
export async function stopController(
  client: Client,
  held: LeaseHolder,
  onWait: (words: string) => void,
): Promise<void> {
  const deployment = await deploymentOf(client, held);
  if (deployment === undefined) throw new Error(describeStop(held, undefined));
  const path = `/apis/apps/v1/namespaces/${encodeURIComponent(held.namespace)}/deployments/${deployment}/scale`;
  await client.patch(`${path}${asManager}`, { spec: { replicas: 0 } }, "merge");
  const end = Date.now() + patience;
  while (await findLeaseHolder(client, nvIpamLease, onWait)) {
    if (Date.now() > end)
      throw new Error(
        `Deployment ${deployment} was scaled to 0, and the Lease ${nvIpamLease} is still held: wait, and run this again`,
      );
    await sleep(1000);
  }
}
