import { formatIp, parseIp } from "../address/ip.ts";
import { oneAddressFault } from "../address/one-address.ts";
import type { Inventory } from "../lease/inventory.ts";
import { defineCommand, output, word } from "./command.ts";
import { type Explained, explainAddress } from "./explain-address.ts";
import { explainHolding } from "./explain-holding.ts";
import { findHoldings } from "./find-holdings.ts";
import { emptyJson, leaseJson } from "./holding-json.ts";
import { type KnownNetwork, networkInputs, readInventories } from "./inventories.ts";
import { UsageError } from "./usage-error.ts";

export const explain = defineCommand({
  name: "explain",
  summary: "who holds an address, or what a pod or container holds",
  details:
    "SUBJECT is an address, NAMESPACE/POD, a pod's name, or a container's id or its beginning. Of an address that nobody " +
    "holds it says whether a known range has it and whether it can be given.",
  inputs: { subject: word("an address, NAMESPACE/POD, POD or CONTAINER"), ...networkInputs, output },
  examples: [
    ["kube-node explain 10.1.3.7", "who holds this address, since when, and out of which range"],
    ["kube-node explain default/web-0", "what this pod holds, in all networks"],
    ["kube-node explain 3f2a6f5c", "what the container holds whose id begins so"],
    ["kube-node explain default/web-0 -o json | jq -r '.leases[].address'", "for scripts"],
  ],
  fails: "nobody holds it, or there is no such pod or container",
  async run({ subject, output, ...choice }, terminal) {
    if (subject.trim() === "") throw new UsageError("whom to explain? Name an address, a pod or a container");
    const fault = oneAddressFault(subject);
    if (fault !== undefined) throw new UsageError(fault);
    const { inventories } = readInventories(choice, terminal);
    const found = explainSubject(subject, inventories);
    terminal.say(output === "json" ? JSON.stringify(toJson(found), null, 2) : found.words);
    return found.holdings.length + found.empty.length > 0 ? 0 : 1;
  },
});

/** A paragraph for each thing that it may be. */
function explainSubject(subject: string, inventories: KnownNetwork[]): Explained {
  const ip = parseIp(subject);
  if (ip) return explainAddress(ip, inventories);
  const holdings = findHoldings(subject, inventories);
  const networks = inventories.map(({ network }) => network).join(", ") || "there are none";
  const words =
    holdings.length > 0
      ? holdings.map(({ holding, inventory }) => explainHolding(holding, inventory)).join("\n\n")
      : `no pod or container ${JSON.stringify(subject)} holds anything here; looked in networks: ${networks}`;
  return { holdings, empty: [], places: [], words };
}

/** The documented shape of `-o json`. */
function toJson({ holdings, empty, places }: Explained) {
  const of = ({ network, dataDir }: Inventory) => ({ network, dataDir });
  return {
    leases: [
      ...holdings.flatMap(({ holding, inventory }) =>
        leaseJson(holding).map((lease) => ({ ...of(inventory), ...lease })),
      ),
      ...empty.map(({ ip, inventory }) => ({ ...of(inventory), ...emptyJson(formatIp(ip)) })),
    ],
    places: places.map(({ network, range, is }) => ({ network, ...range, is })),
  };
}
