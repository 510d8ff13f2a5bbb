import type { AddressFacts } from "../survey/address-facts.ts";
import { podNetwork } from "../survey/pod-address.ts";
import type { PodState } from "../survey/pod-state.ts";
import { describePlace } from "../survey/pool-place.ts";
import { labelOfKey } from "../survey/pool-ranges.ts";
import { formatRangeSet } from "../survey/range-set.ts";
import { formatAge } from "../terminal/age.ts";
import type { Paint } from "../terminal/paint.ts";

/** Why a pod has none. */
export function describeWithoutAddress({ namespace, name, phase, node, hostNetwork }: PodState): string {
  const where = node === undefined ? "isn't on a node yet" : `is on ${node}`;
  if (hostNetwork)
    return `${namespace}/${name} uses its node's network, and so has no address of its own; it ${where}`;
  return `${namespace}/${name} has no address (${phase}); it ${where}. kubectl describe pod says what it waits for`;
}

/** A paragraph for people. */
export function describeAddress(facts: AddressFacts, isHeldTwice: boolean, paint: Paint): string {
  const { address, ranges, pods, serviceCIDR, pools = [] } = facts;
  const lines = [
    ...ranges.map(({ node, key, networks, ranges: set }) => {
      const used = networks.length > 0 ? `, used by ${networks.join(", ")}` : "";
      return ["range", `${formatRangeSet(set)}, which ${node} has by ${labelOfKey(key)}${used}`];
    }),
    ...(serviceCIDR ? [["range", `${serviceCIDR}, of which Services get their addresses`]] : []),
    ...(ranges.length === 0 && !serviceCIDR ? [["range", "in none that a node has"]] : []),
    ...pools.map((place) => ["pool", describePlace(place, address)]),
    ...pods.map(({ namespace, pod, node, network, since }) => {
      const how = network === podNetwork ? "" : ` by network ${network}`;
      return [
        "pod",
        `${namespace}/${pod} on ${node}${how}, since ${since} (${formatAge(Date.now() - Date.parse(since))})`,
      ];
    }),
    ...(pods.length === 0 ? [["pod", "none has it"]] : []),
  ];
  const rows = lines.map(([name = "", words = ""]) => `  ${name.padEnd(5)}   ${words}`);
  const twice = isHeldTwice ? paint.red(" is held by more than one pod") : "";
  return [`${paint.bold(address)}${twice}`, ...rows].join("\n");
}
