import { CniError } from "../cni/error.ts";
import { isErrno, listFolder } from "../host/files.ts";
import type { Paint } from "../terminal/paint.ts";
import { formatTable } from "../terminal/table.ts";
import { defineCommand, optionalWord, output, text } from "./command.ts";
import { type Configuration, NotOurs, readConfiguration } from "./configuration.ts";
import { examineCluster } from "./examine-cluster.ts";
import { examineFolders } from "./examine-folders.ts";
import { examineMachine } from "./examine-machine.ts";
import { examinePrograms } from "./examine-programs.ts";
import { examineRanges } from "./examine-ranges.ts";
import { type Finding, fail, failBy, good, warn } from "./finding.ts";
import { readRequest } from "./request.ts";
import type { Terminal } from "./terminal.ts";

export const doctor = defineCommand({
  name: "doctor",
  summary: "what keeps pods of this machine from getting addresses, and what to do about it",
  details:
    "Looks at programs, credentials, the API server and its clock, ranges, folders: as an ADD would find them. Changes nothing.",
  inputs: {
    conf: optionalWord(
      "a plugin configuration or conflist; - is standard input (default: all in the folder that are for us)",
    ),
    confDir: text("DIR", "where the runtime's network configurations lie (default: /etc/cni/net.d)"),
    output,
  },
  examples: [
    ["kube-node doctor", "all of this machine's networks"],
    ["kube-node doctor /etc/cni/net.d/10-net1.conflist", "one of them"],
    ["kube-node doctor -o json | jq -r '.findings[] | select(.state == \"fail\") | .remedy'", "what to do"],
  ],
  fails: "a finding is a failure",
  async run({ conf, confDir = "/etc/cni/net.d", output }, terminal) {
    const findings = [
      ...(await examineMachine()),
      ...(conf === undefined ? await examineAll(confDir, terminal) : await examineNetwork(conf, terminal)),
    ];
    terminal.say(
      output === "json" ? JSON.stringify({ findings }, null, 2) : format(findings, terminal.paint),
    );
    return findings.some(({ state }) => state === "fail") ? 1 : 0;
  },
});

/** A network's findings bear its name. */
type NetworkFinding = Finding & { network?: string };

async function examineAll(folder: string, terminal: Terminal): Promise<NetworkFinding[]> {
  const files = listFolder(folder)
    .filter((name) => /\.(?:conf|conflist|json)$/.test(name))
    .sort();
  const all: NetworkFinding[] = [];
  for (const name of files) {
    const { ours, findings } = await open(`${folder}/${name}`, terminal);
    if (ours) all.push(...findings);
  }
  if (all.length > 0) return all;
  return [
    warn(
      "configuration",
      `none in ${folder} has kube-node or node-annotation as its ipam.type`,
      "name the one to look at: kube-node doctor CONF",
    ),
  ];
}

async function examineNetwork(conf: string, terminal: Terminal): Promise<NetworkFinding[]> {
  return (await open(conf, terminal)).findings;
}

/** What can't be read is a finding, too; whether it would be for us is then not known. */
async function open(
  conf: string,
  terminal: Terminal,
): Promise<{ ours: boolean; findings: NetworkFinding[] }> {
  let configuration: Configuration;
  try {
    configuration = readConfiguration(conf);
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    return { ours: !(error instanceof NotOurs), findings: [failBy("configuration", error)] };
  }
  const { network } = configuration;
  const findings = await examine(configuration, terminal);
  return { ours: true, findings: findings.map((finding) => ({ ...finding, network: network.name })) };
}

async function examine(configuration: Configuration, terminal: Terminal): Promise<Finding[]> {
  const notes: string[] = [];
  const quiet = { ...terminal, note: (text: string) => void notes.push(text.replace(/^warning: /, "")) };
  return await unlessFailed("configuration", async () => {
    const request = await readRequest(configuration, quiet);
    return [
      good("configuration", configuration.origin),
      ...notes.map((note) => warn("configuration", note, "kube-node check-config says where")),
      ...(await unlessFailed("programs", () => examinePrograms(configuration, request))),
      ...(await unlessFailed("kubeconfig", () => examineCluster(request))),
      ...(await unlessFailed("ranges", () => examineRanges(request))),
      ...(await unlessFailed("folders", async () => examineFolders(request))),
    ];
  });
}

/** What can't be examined is a finding. */
async function unlessFailed(check: string, examine: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await examine();
  } catch (error) {
    if (error instanceof CniError) return [failBy(check, error)];
    if (isErrno(error, "EACCES", "EPERM")) return [fail(check, (error as Error).message, "run it as root")];
    throw error;
  }
}

function format(findings: NetworkFinding[], paint: Paint): string {
  const colours = { ok: paint.green, warn: paint.yellow, fail: paint.red };
  const rows = findings.flatMap(({ state, check, network = "", says, remedy }) => [
    [{ text: state, paint: colours[state] }, network, check, says],
    ...(remedy === undefined ? [] : [["", "", "", { text: `→ ${remedy}`, paint: paint.bold }]]),
  ]);
  return formatTable(["STATE", "NETWORK", "CHECK", "FOUND"], rows);
}
