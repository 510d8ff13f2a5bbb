import type { Ip } from "../address/ip.ts";
import type { Holding, Inventory } from "../lease/inventory.ts";

export type FoundHolding = { holding: Holding; inventory: Inventory };

/** What `NAMESPACE/POD`, a pod's name or the beginning of a container's id holds: the first of these that anything answers to. */
export function findHoldings(subject: string, inventories: Inventory[]): FoundHolding[] {
  const all = inventories.flatMap((inventory) =>
    inventory.holdings.map((holding) => ({ holding, inventory })),
  );
  const [namespace, name] = subject.includes("/") ? subject.split("/", 2) : [undefined, subject];
  const pods = all.filter(({ holding }) => {
    const pod = holding.record?.record?.pod;
    return pod?.name === name && (namespace === undefined || pod?.namespace === namespace);
  });
  if (pods.length > 0 || namespace !== undefined) return pods;
  return byContainer(subject, all, ({ holding }) => holding.containerID);
}

/** What is of the container with this id; where none has it, of all those whose ids begin so. */
export function byContainer<Of>(id: string, all: readonly Of[], idOf: (one: Of) => string): Of[] {
  const exact = all.filter((one) => idOf(one) === id);
  return exact.length > 0 ? exact : all.filter((one) => idOf(one).startsWith(id));
}

/** Who holds an address; in several networks it may be several. */
export function findHoldersOf(ip: Ip, inventories: Inventory[]): FoundHolding[] {
  return inventories.flatMap((inventory) =>
    inventory.holdings
      .filter(({ leases }) => leases.some((lease) => isSame(lease.ip, ip)))
      .map((holding) => ({ holding, inventory })),
  );
}

export function isSame(one: Ip, other: Ip): boolean {
  return one.family === other.family && one.value === other.value;
}
