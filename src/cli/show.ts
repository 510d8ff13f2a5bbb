import { formatIp } from "../address/ip.ts";
import { formatRange } from "../address/range.ts";
import type { Inventory } from "../lease/inventory.ts";
import { rangeUse } from "../lease/range-use.ts";
import { formatCount } from "../terminal/count.ts";
import type { Paint } from "../terminal/paint.ts";
import { type Cell, formatTable } from "../terminal/table.ts";
import { defineCommand, output } from "./command.ts";
import { addressesOf, emptyJson, leaseJson } from "./holding-json.ts";
import { describePod, secondsOf, shorten } from "./holding-words.ts";
import { type KnownNetwork, networkInputs, readInventories } from "./inventories.ts";

export const show = defineCommand({
  name: "show",
  summary: "who holds which address on this machine, and what is left of each range",
  details:
    "Joins host-local's leases with our records. STATE is live where the pod's network namespace is there, dead where an " +
    "earlier boot ended it, unknown where neither can be told.",
  inputs: { ...networkInputs, output },
  examples: [
    ["kube-node show", "all networks"],
    ["kube-node show --network=net1", "one of them"],
    [
      "kube-node show -o json | jq -r '.networks[].leases[] | select(.state == \"dead\") | .address'",
      "addresses of pods that an earlier boot ended",
    ],
  ],
  fails: "a network could not be read",
  async run({ output, ...choice }, terminal) {
    const { inventories, complete } = readInventories(choice, terminal);
    if (output === "json") terminal.say(JSON.stringify({ networks: inventories.map(toJson) }, null, 2));
    else {
      if (!inventories.some(isHeld)) terminal.note("nobody holds an address here");
      const tables = formatTables(inventories, terminal.paint);
      if (tables !== "") terminal.say(tables);
    }
    return complete ? 0 : 1;
  },
});

function isHeld({ holdings, emptyLeases }: Inventory): boolean {
  return holdings.length + emptyLeases.length > 0;
}

/** A table of leases and one of ranges, each where there are any. */
function formatTables(networks: KnownNetwork[], paint: Paint): string {
  const leases = networks.flatMap((network) => leaseRows(network, paint));
  const ranges = networks.flatMap(rangeRows);
  const tables = [
    { head: ["NETWORK", "ADDRESS", "POD", "CONTAINER", "INTERFACE", "SINCE", "STATE"], rows: leases },
    { head: ["NETWORK", "RANGE", "SIZE", "USED", "FREE"], rows: ranges },
  ];
  const filled = tables.filter(({ rows }) => rows.length > 0);
  return filled.map(({ head, rows }) => formatTable(head, rows)).join("\n\n");
}

function leaseRows({ network, holdings, emptyLeases }: Inventory, paint: Paint): Cell[][] {
  const colours = { live: paint.green, dead: paint.red, unknown: paint.yellow };
  const rows = holdings.flatMap((holding) =>
    addressesOf(holding).map((address) => [
      network,
      address ?? "-",
      describePod(holding) ?? "-",
      shorten(holding.containerID),
      holding.ifname || "-",
      holding.since === undefined ? "-" : secondsOf(holding.since),
      { text: holding.verdict.state, paint: colours[holding.verdict.state] },
    ]),
  );
  const empty = emptyLeases.map(({ ip }) => {
    return [network, formatIp(ip), "-", "-", "-", "-", { text: "empty", paint: paint.yellow }];
  });
  return [...rows, ...empty];
}

function rangeRows(inventory: KnownNetwork): Cell[][] {
  return rangeUse(inventory.ranges, inventory).map(({ range, size, used, free }) => {
    return [inventory.network, formatRange(range), ...[size, used, free].map(formatCount)];
  });
}

/** The documented shape of `-o json`. */
function toJson(inventory: KnownNetwork) {
  const { network, dataDir, holdings, emptyLeases } = inventory;
  return {
    network,
    dataDir,
    leases: [...holdings.flatMap(leaseJson), ...emptyLeases.map(({ ip }) => emptyJson(formatIp(ip)))],
    ranges: rangeUse(inventory.ranges, inventory).map(({ range, size, used, free }) => {
      return { ...range, size: Number(size), used: Number(used), free: Number(free) };
    }),
  };
}
