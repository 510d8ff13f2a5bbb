import { expect } from "vitest";
import { type Machine, networks } from "./machine.ts";
import { isHeld, type Model } from "./model.ts";

/**
 * After every step: no two live attachments of a network hold one address, what lives has its addresses in the store under
 * its own name, and nothing is in store or records that the model knows nothing of.
 */
export function expectOrder(model: Model, machine: Machine): void {
  for (const network of networks) {
    const own = [...model.live].filter(([key]) => key.startsWith(`${network}/`));
    const all = own.flatMap(([, addresses]) => addresses);
    expect(
      all.filter((address, i) => all.indexOf(address) !== i),
      `held twice in ${network}`,
    ).toEqual([]);
    const leases = machine.leases(network);
    const records = machine.records(network);
    const missing = own.flatMap(([key, addresses]) =>
      addresses.filter((address) => leases.get(address) !== key).map((address) => `${key} ${address}`),
    );
    expect(missing, `live, but not in the store of ${network}: ${JSON.stringify([...leases])}`).toEqual([]);
    expect(
      own.map(([key]) => key).filter((key) => !records.includes(key)),
      "live without a record",
    ).toEqual([]);
    const strangers = [...leases.values(), ...records].filter((key) => key !== "" && !isHeld(model, key));
    expect(strangers, `held by nobody in ${network}: ${JSON.stringify([...leases])}`).toEqual([]);
  }
}
