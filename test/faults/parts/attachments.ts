import { readdirSync } from "node:fs";
import { expect } from "vitest";
import type { Difference, Worker } from "../../real/parts/worker.ts";

/** Who lives, as "container:interface", and the addresses that its ADD was answered with. */
export type Live = Map<string, string[]>;

/** The call for an attachment. */
export function callFor(name: string, difference: Difference = {}): Difference {
  const [id = "", ifname = ""] = name.split(":");
  return { ...difference, id, ifname };
}

/** An ADD that has to succeed. */
export async function addTo(
  live: Live,
  worker: Worker,
  name: string,
  difference?: Difference,
): Promise<void> {
  live.set(name, await worker.add(callFor(name, difference)));
}

/** A GC that keeps those who live, and has to succeed. */
export async function collect(worker: Worker, live: Live, difference: Difference = {}): Promise<void> {
  await worker.pass("GC", { ...difference, config: { ...difference.config, ...keeping([...live.keys()]) } });
}

/** The keys of a GC's configuration. */
export function keeping(names: string[]): Record<string, unknown> {
  const valid = names.map((name) => ({ containerID: name.split(":")[0], ifname: name.split(":")[1] }));
  return { cniVersion: "1.1.0", "cni.dev/valid-attachments": valid };
}

/** No address twice, and each one leased by whom it was given to. */
export function expectOwned(worker: Worker, live: Live, network?: string): void {
  const addresses = [...live.values()].flat();
  expect(new Set(addresses).size, `given twice: ${addresses.join(" ")}`).toBe(addresses.length);
  expect(worker.leases(network)).toMatchObject(leasesOf(live));
}

/** Leases and records of those who live, and of nobody else. */
export function expectOnly(worker: Worker, live: Live, network?: string): void {
  expect(worker.leases(network)).toEqual(leasesOf(live));
  expect(worker.records(network)).toEqual([...live.keys()].sort());
}

/** Temporary files, and locks. */
export function leftovers(worker: Worker, network?: string): string[] {
  const names = readdirSync(worker.state(network), { recursive: true, encoding: "utf8" });
  return names.filter((name) => /(^|\/)(\.|asking|adopting)/.test(name));
}

function leasesOf(live: Live): Record<string, string> {
  const pairs = [...live].flatMap(([name, addresses]) =>
    addresses.map((address): [string, string] => [address, name.replace(":", " ")]),
  );
  return Object.fromEntries(pairs);
}
