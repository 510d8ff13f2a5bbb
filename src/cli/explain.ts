import { parseIp } from "../address/ip.ts";
import { defineCommand, word } from "./command.ts";
import { explainAddress } from "./explain-address.ts";
import { explainHolding } from "./explain-holding.ts";
import { findHoldings } from "./find-holdings.ts";
import { type KnownNetwork, networkInputs, readInventories } from "./inventories.ts";
import { UsageError } from "./usage-error.ts";

export const explain = defineCommand({
  name: "explain",
  summary: "who holds an address, or what a pod or container holds",
  details:
    "SUBJECT is an address, NAMESPACE/POD, a pod's name, or a container's id or its beginning. Of an address that nobody " +
    "holds it says whether a known range has it and whether it can be given.",
  inputs: { subject: word("an address, NAMESPACE/POD, POD or CONTAINER"), ...networkInputs },
  examples: [
    ["kube-node explain 10.1.3.7", "who holds this address, since when, and out of which range"],
    ["kube-node explain default/web-0", "what this pod holds, in all networks"],
    ["kube-node explain 3f2a6f5c", "what the container holds whose id begins so"],
  ],
  fails: "nobody holds it, or there is no such pod or container",
  async run({ subject, ...choice }, terminal) {
    if (subject.trim() === "") throw new UsageError("whom to explain? Name an address, a pod or a container");
    const { inventories } = readInventories(choice, terminal);
    const { held, words } = explainSubject(subject, inventories);
    terminal.say(words);
    return held ? 0 : 1;
  },
});

/** A paragraph for each thing that it may be, and whether anybody holds anything. */
function explainSubject(subject: string, inventories: KnownNetwork[]): { held: boolean; words: string } {
  const ip = parseIp(subject);
  if (ip) return explainAddress(ip, inventories);
  const found = findHoldings(subject, inventories);
  if (found.length > 0) {
    const paragraphs = found.map(({ holding, inventory }) => explainHolding(holding, inventory));
    return { held: true, words: paragraphs.join("\n\n") };
  }
  const networks = inventories.map(({ network }) => network).join(", ") || "there are none";
  const words = `no pod or container ${JSON.stringify(subject)} holds anything here; looked in networks: ${networks}`;
  return { held: false, words };
}
