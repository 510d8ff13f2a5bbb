import type { Holding } from "../lease/inventory.ts";
import { visible } from "../text/visible.ts";

/** `namespace/name` of the pod, as far as its runtime said; undefined where it said nothing, or there is no record. */
export function describePod({ record }: Holding): string | undefined {
  const pod = record?.record?.pod;
  if (!pod || (pod.namespace === undefined && pod.name === undefined)) return undefined;
  return visible(`${pod.namespace ?? "?"}/${pod.name ?? "?"}`);
}

/** A container's id as crictl shows it. */
export function shorten(containerID: string): string {
  return visible(containerID).slice(0, 13);
}

/** The pod where it is known, else the container. */
export function describeHolder(holding: Holding): string {
  const pod = describePod(holding);
  return pod === undefined ? `container ${shorten(holding.containerID)}` : `pod ${pod}`;
}

/** ISO 8601 without its milliseconds; what isn't a time stays as it is. */
export function secondsOf(time: string): string {
  return visible(time.replace(/\.\d+Z$/, "Z"));
}
