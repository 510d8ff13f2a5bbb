import { expect, it } from "vitest";
import { testFolder } from "../host/folder.ts";
import { call, copyOfData, expectError } from "./bad-input.ts";
import { checkRows, describeEverywhere, type Row } from "./bad-input-suite.ts";

const without = (name: string) => ({ env: { [name]: undefined } });
const missing = (name: string) => [
  new RegExp(`required env variables \\[${name}\\] missing`),
  /container runtime/,
];

const environment: Row[] = [
  ["no CNI_CONTAINERID", without("CNI_CONTAINERID"), 4, missing("CNI_CONTAINERID"), 4, "sample"],
  ["no CNI_IFNAME", without("CNI_IFNAME"), 4, missing("CNI_IFNAME"), 4],
  ["no CNI_PATH", without("CNI_PATH"), 4, missing("CNI_PATH"), 4],
  ["no CNI_NETNS", without("CNI_NETNS"), 4, missing("CNI_NETNS"), "frees"],
  ["an empty CNI_NETNS", { env: { CNI_NETNS: "" } }, 4, missing("CNI_NETNS"), "frees"],
  [
    "none of them",
    { env: { CNI_CONTAINERID: undefined, CNI_IFNAME: undefined, CNI_NETNS: "", CNI_PATH: "" } },
    4,
    missing("CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH"),
    4,
  ],
  [
    "an unknown CNI_COMMAND",
    { env: { CNI_COMMAND: "UPDATE" } },
    4,
    [/unknown CNI_COMMAND: "UPDATE"/, /expected one of ADD, CHECK, DEL, GC, STATUS, VERSION/],
    4,
  ],
  ["CNI_COMMAND in small letters", { env: { CNI_COMMAND: "add" } }, 4, [/unknown CNI_COMMAND: "add"/], 4],
  [
    "a malformed CNI_CONTAINERID",
    { env: { CNI_CONTAINERID: "../c" } },
    4,
    [/CNI_CONTAINERID is malformed: "..\/c"/, /expected letters, digits/],
    4,
    "sample",
  ],
  [
    "a malformed CNI_IFNAME",
    { env: { CNI_IFNAME: "eth/0" } },
    4,
    [/CNI_IFNAME is malformed: "eth\/0"/, /expected at most 15 characters/],
    4,
  ],
  [
    "a CNI_IFNAME that is too long",
    { env: { CNI_IFNAME: "e".repeat(16) } },
    4,
    [/CNI_IFNAME is malformed/],
    4,
  ],
  [
    "a malformed CNI_ARGS",
    { env: { CNI_ARGS: "noequals" } },
    999,
    [/ARGS: invalid pair "noequals"/],
    "nothing to free",
  ],
  ["an unknown key in CNI_ARGS", { env: { CNI_ARGS: "FISH=1" } }, 999, [/FISH/], "nothing to free"],
  [
    "a CNI_PATH of nothing but colons",
    { env: { CNI_PATH: "::" } },
    5,
    [/host-local not found/],
    "nothing to free",
  ],
];

const input = (stdin: unknown) => ({ stdin });
const text = (value: string) => ({ stdin: value });
const net = (network: Record<string, unknown>) => ({ network });

const standardInput: Row[] = [
  [
    "nothing",
    text(""),
    6,
    [/no network configuration on standard input/, /expected a JSON object/],
    6,
    "sample",
  ],
  ["blanks", text(" \n"), 6, [/no network configuration/], 6],
  [
    "no JSON",
    text('{\n  "name": net1\n}'),
    6,
    [/network configuration is not JSON/, /line 2, column 11: expected a value/],
    6,
    "sample",
  ],
  ["half of it", text('{"cniVersion": "1.0.0", "name": "ne'), 6, [/not JSON: line 1, column 33/], 6],
  ["two documents", text('{"name": "net1"} {"name": "net2"}'), 6, [/line 1, column 18: expected the end/], 6],
  ["a byte order mark", text('\ufeff{"name": "net1"}'), 6, [/line 1, column 1: expected a value/], 6],
  ["zeros", input(new Uint8Array(100)), 6, [/not JSON/, /line 1, column 1/], 6],
  ["no UTF-8", input(new Uint8Array([0x7b, 0xff, 0xfe, 0x7d])), 6, [/not JSON/, /column 2/], 6],
  ["a list", input([]), 6, [/no JSON object/, /found an array/], 6],
  ["null", text("null"), 6, [/no JSON object/, /found null/], 6],
  ["no name", net({ name: undefined }), 7, [/without a name/, /name: expected a string, found nothing/], 7],
  ["an empty name", net({ name: "" }), 7, [/without a name/], 7],
  ["a name that is a number", net({ name: 5 }), 7, [/name: expected a string, found a number/], 7],
  [
    "a name that is a path",
    net({ name: "../net1" }),
    7,
    [/name is malformed: "..\/net1"/, /letters, digits/],
    7,
  ],
  ["a name that begins with a dot", net({ name: ".kube-node" }), 7, [/name is malformed/], 7],
  [
    "a name longer than a folder's",
    net({ name: "n".repeat(300) }),
    5,
    [/ENAMETOOLONG/, /give the network a shorter name/],
    "nothing to free",
  ],
  [
    "an unknown version",
    net({ cniVersion: "9.9.9" }),
    1,
    [/incompatible CNI version: "9.9.9"/, /expected one of 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0/],
    1,
    "sample",
  ],
  ["a version that is a number", net({ cniVersion: 1 }), 1, [/incompatible CNI version: a number/], 1],
  ["IPAM beside ipam", net({ IPAM: { ranges: [] } }), 7, [/unexpected key "IPAM"/, /write it "ipam"/], 7],
  [
    "no ipam",
    net({ ipam: undefined }),
    7,
    [/without ipam/, /ipam: expected an object, found nothing/],
    "nothing to free",
  ],
  ["an ipam that is a list", net({ ipam: [] }), 7, [/found an array/], "nothing to free"],
  ["an ipam that is a text", net({ ipam: "kube-node" }), 7, [/found a string/], "nothing to free"],
  [
    "10 MB",
    text(`{"name": "${"n".repeat(10_000_000)}"}`),
    6,
    [/too large/, /more than 4194304 bytes/],
    6,
    "sample",
  ],
  ["10 MB of blanks", text(" ".repeat(10_000_000)), 6, [/too large/], 6],
  ["3 MB that are cut off", text(`{"name": "net1", "x": "${"x".repeat(3_000_000)}`), 6, [/not JSON/], 6],
  ["3 MB of brackets", text("[".repeat(3_000_000)), 6, [/not JSON/, /at most 64 brackets/], 6],
  [
    "a hundred thousand brackets that are all closed",
    { edit: (json) => json.replace("{", `{"x":${"[".repeat(100_000)}${"]".repeat(100_000)},`) },
    6,
    [/network configuration is nested too deeply/],
    6,
  ],
];

describeEverywhere("what is wrong with the environment", (world, isSample) => {
  checkRows(world, environment, isSample);
});

describeEverywhere("what is wrong with standard input", (world, isSample) => {
  checkRows(world, standardInput, isSample);
});

describeEverywhere("verbs that a version doesn't have", (world) => {
  it.each([
    ["CHECK", "0.3.1", "0.4.0"],
    ["GC", "1.0.0", "1.1.0"],
    ["STATUS", "1.0.0", "1.1.0"],
  ])("%s in %s is code 1", async (verb, cniVersion, first) => {
    const dataDir = copyOfData(world(), testFolder());
    const answer = await call(world(), verb, "c-live", { network: { cniVersion } }, dataDir);
    expectError(world(), answer, 1, [new RegExp(`${verb} is not in CNI ${cniVersion}`), new RegExp(first)]);
    expect(answer.json).toMatchObject({ cniVersion });
  });
});
