import { formatIp, type Ip } from "../address/ip.ts";
import { namespaceID } from "../host/network-namespace.ts";
import { type Cached, readLibcniCache } from "./libcni-cache.ts";
import type { Sandboxes } from "./sandboxes.ts";

/** What is known of an attachment's life. `netns` is where it lives, where that is known, and `network` the one that it is in. */
export type Life = {
  state: "live" | "dead" | "unknown";
  reason: string;
  netns?: string;
  netnsID?: string;
  network?: string;
  pod?: Cached["pod"];
};

export type Living = { containerID: string; ifname: string; ip: Ip; pod?: Cached["pod"] };

/** What there is to go by beside namespaces; absent where nobody could be asked. */
export type LifeEvidence = {
  /** The runtime's sandboxes, which are pods': believed where it has one of these containers at all. */
  sandboxes?: Sandboxes | undefined;
  /** Whether the API server has the pod on this node. */
  pod?: ((pod: NonNullable<Living["pod"]>) => "present" | "absent" | "unknown") | undefined;
  /** Containers of which somebody says that they are gone. */
  gone?: ReadonlySet<string>;
};

/** Whatever speaks for life wins. Without evidence it is unknown, which is as good as alive. */
export function judgeLives(all: readonly Living[], evidence: LifeEvidence = {}): (one: Living) => Life {
  const cached = Map.groupBy(readLibcniCache(), ({ containerID, ifname }) => `${containerID}:${ifname}`);
  const isBelieved = all.some(({ containerID }) => evidence.sandboxes?.has(containerID));
  const sandboxes = isBelieved ? evidence.sandboxes : undefined;
  return ({ containerID, ifname, ip, pod = {} }) => {
    const known = cached
      .get(`${containerID}:${ifname}`)
      ?.find(({ addresses }) => addresses.includes(formatIp(ip)));
    const found = known && { network: known.network, pod: known.pod };
    const id = known?.netns === undefined ? undefined : namespaceID(known.netns);
    if (known?.netns !== undefined && id !== undefined && id !== "gone")
      return live(`its network namespace ${known.netns} is there`, {
        ...found,
        netns: known.netns,
        netnsID: id,
      });
    const sandbox = sandboxes?.get(containerID);
    if (sandbox?.state === "ready")
      return live("its sandbox is ready", {
        ...found,
        pod: { ...sandbox.pod, ...known?.pod },
      });
    const isThere = evidence.pod?.({ ...pod, ...known?.pod }) ?? "unknown";
    if (isThere === "present") return live("its pod is there", found);
    if (isThere === "absent") return dead("its pod is gone");
    if (sandboxes && !sandboxes.has(containerID)) return dead("its runtime has no such sandbox");
    if (evidence.gone?.has(containerID)) return dead("you say that its container is gone");
    return { state: "unknown", reason: "nothing is known of its life", ...found };
  };
}

function live(reason: string, found: Partial<Life> | undefined): Life {
  return { state: "live", reason, ...found };
}

function dead(reason: string): Life {
  return { state: "dead", reason };
}
