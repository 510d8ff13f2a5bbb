import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkRows, describeEverywhere, type Row } from "./bad-input-suite.ts";

const net = (network: Record<string, unknown>) => ({ network });
const ipam = (own: Record<string, unknown>) => ({ ipam: own });
const malformed = (...parts: RegExp[]) => [/ipam configuration is malformed/, ...parts];

const configuration: Row[] = [
  [
    "a number for a text",
    ipam({ annotation: 5 }),
    7,
    malformed(/ipam\.annotation: expected string/),
    "frees",
    "sample",
  ],
  [
    "a list for a text",
    ipam({ kubeconfig: ["a"] }),
    7,
    malformed(/ipam\.kubeconfig: expected string/),
    "frees",
  ],
  [
    "a text for a list",
    ipam({ "ipv4-namespaces": "a" }),
    7,
    malformed(/ipv4-namespaces: expected array/),
    "frees",
  ],
  ["a number in a list", ipam({ "ipv4-namespaces": [5] }), 7, malformed(/ipv4-namespaces\[0\]/), "frees"],
  ["a text for a number", ipam({ timeout: "15" }), 7, malformed(/ipam\.timeout: expected number/), "frees"],
  [
    "a number for a text, beside a dataDir in small letters",
    { ipam: { annotation: 5 }, edit: (json) => json.replace('"dataDir"', '"datadir"') },
    7,
    malformed(/ipam\.annotation/),
    "frees",
  ],
  ["too little time", ipam({ timeout: 1 }), 7, malformed(/ipam\.timeout: .*2/), "frees"],
  ["too much time", ipam({ timeout: 1e6 }), 7, malformed(/ipam\.timeout: .*220/), "frees"],
  ["a time in the past", ipam({ cacheTTL: -1 }), 7, malformed(/ipam\.cacheTTL: .*0/), "frees"],
  [
    "several faults",
    ipam({ annotation: 5, cacheTTL: -1 }),
    7,
    malformed(/ipam\.annotation/, /ipam\.cacheTTL/),
    "frees",
  ],
  [
    "ranges",
    ipam({ ranges: [] }),
    7,
    malformed(/ipam\.ranges: not allowed here/, /annotate the Node/),
    "frees",
    "sample",
  ],
  [
    "rangeStart in capitals",
    ipam({ RANGESTART: "10.0.0.1" }),
    7,
    malformed(/ipam\.RANGESTART: not allowed/),
    "frees",
  ],
  ["subnet", ipam({ subnet: "10.0.0.0/8" }), 7, malformed(/ipam\.subnet: not allowed here/), "frees"],
  ["gateway", ipam({ Gateway: "10.0.0.1" }), 7, malformed(/ipam\.Gateway: not allowed here/), "frees"],
  [
    "ranges in runtimeConfig",
    net({ runtimeConfig: { IPRanges: [[{ subnet: "10.0.0.0/8" }]] } }),
    7,
    [/runtimeConfig\.IPRanges is not allowed/, /annotate the Node/],
    "frees",
  ],
  [
    "a delegate by its path",
    ipam({ nextipam: "/bin/sh" }),
    7,
    malformed(/ipam\.nextipam: expected the bare name/),
    "frees",
  ],
  ["a delegate above", ipam({ nextipam: "../sh" }), 7, malformed(/ipam\.nextipam/), "frees"],
  ["itself as the delegate", ipam({ nextipam: "kube-node" }), 7, malformed(/not kube-node/), "frees"],
  [
    "a key in two spellings",
    ipam({ Timeout: 5 }),
    7,
    malformed(/the same key as/, /write timeout once/),
    "frees",
  ],
  [
    "half a character in an annotation's name",
    ipam({ annotation: "\ud800" }),
    103,
    [/no annotation/],
    "frees",
  ],
  [
    "NUL in dataDir",
    ipam({ dataDir: "a\0b" }),
    7,
    malformed(/ipam\.dataDir: expected a string without NUL/),
    "nothing to free",
  ],
  [
    "a dataDir that is a file",
    ipam({ dataDir: "/etc/hostname" }),
    5,
    [/dataDir \/etc\/hostname: .* is a file .*another dataDir/],
    "nothing to free",
  ],
];

const folders: Row[] = [
  [
    "a link in the place of our state",
    (_, folder) => {
      const dataDir = join(folder, "linked");
      mkdirSync(dataDir);
      symlinkSync("/tmp", join(dataDir, ".kube-node"));
      return { ipam: { dataDir } };
    },
    5,
    [/linked\/\.kube-node is not a folder of this user's/, /remove it; it is made again/],
    5,
  ],
  [
    "a file in the place of host-local's store",
    (_, folder) => {
      const dataDir = join(folder, "blocked");
      mkdirSync(dataDir);
      writeFileSync(join(dataDir, "net1"), "");
      return { ipam: { dataDir } };
    },
    999,
    [/blocked\/net1: not a directory/],
    "nothing to free",
  ],
  [
    "a dataDir that can't be made",
    ipam({ dataDir: "/sys/none/data" }),
    5,
    [/mkdir '\/sys\/none'/, /may not do that: it has to run as root/],
    "nothing to free",
  ],
  [
    "a dataDir where pods' files lie",
    ipam({ dataDir: "/proc/none/data" }),
    7,
    [/\/proc\/none/, /pods' files/],
    "nothing to free",
  ],
];

describeEverywhere("what is wrong with the configuration", (world, isSample) => {
  checkRows(world, configuration, isSample);
  if (!isSample) checkRows(world, folders, isSample);
});
