import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../kube/client.ts";
import { isObject } from "../text/json.ts";

/** Who holds a Lease, and where it is. */
export type LeaseHolder = { namespace: string; holder: string };

type Seen = LeaseHolder & { version: string; seconds: number; renewed: number };

/** So long ago that no clock is as wrong. */
const longAgo = 300_000;

/** Versions of Leases that nobody renewed in all their time: as long as one stands so, it needn't be watched again. */
const runOut = new WeakMap<Client, Set<string>>();

/**
 * Who holds a Lease of this name, in whatever namespace; undefined where nobody does. A holder that ended without giving it back is told from a
 * living one by watching whether it is renewed: our clock may not be the cluster's.
 */
export async function findLeaseHolder(
  client: Client,
  name: string,
  onWait: (words: string) => void,
): Promise<LeaseHolder | undefined> {
  const first = await readHeld(client, name);
  const known = runOut.get(client) ?? new Set();
  const recent = first.filter((one) => Date.now() - one.renewed < longAgo && !known.has(nameOf(one, name)));
  if (recent.length === 0) return undefined;
  const end = Date.now() + 1000 * Math.max(...recent.map(({ seconds }) => seconds));
  for (;;) {
    const now = await readHeld(client, name);
    const alive = now.find((one) =>
      recent.some(({ namespace, version }) => namespace === one.namespace && version !== one.version),
    );
    if (alive) return { namespace: alive.namespace, holder: alive.holder };
    if (now.length === 0) return undefined;
    if (Date.now() > end) {
      runOut.set(client, new Set([...known, ...recent.map((one) => nameOf(one, name))]));
      return undefined;
    }
    onWait(`watching whether ${recent[0]?.holder} still holds the Lease ${name}`);
    await sleep(500);
  }
}

function nameOf({ namespace, version }: Seen, name: string): string {
  return `${namespace}/${name} ${version}`;
}

function readHeld(client: Client, name: string): Promise<Seen[]> {
  return client.list("/apis/coordination.k8s.io/v1/leases", readHolder, {
    fieldSelector: `metadata.name=${name}`,
  });
}

function readHolder(item: unknown): Seen | undefined {
  if (!isObject(item) || !isObject(item["metadata"]) || !isObject(item["spec"])) return undefined;
  const { holderIdentity, leaseDurationSeconds, renewTime } = item["spec"];
  if (typeof holderIdentity !== "string" || holderIdentity === "") return undefined;
  const { namespace, resourceVersion } = item["metadata"];
  const renewed = Date.parse(String(renewTime));
  return {
    ...{ namespace: String(namespace), holder: holderIdentity, version: String(resourceVersion) },
    seconds: typeof leaseDurationSeconds === "number" ? leaseDurationSeconds : 15,
    renewed: Number.isNaN(renewed) ? 0 : renewed,
  };
}
