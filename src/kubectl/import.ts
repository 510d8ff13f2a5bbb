import { Argument, Command } from "commander";
import { formatAnnotation } from "../api/annotation.ts";
import { isPoolName } from "../api/pool-kind.ts";
import { poolAnnotationKey } from "../api/pool-names.ts";
import type { Client } from "../kube/client.ts";
import { type Fit, fitPool } from "../move/fit-pool.ts";
import { type ImportPlan, planImport } from "../move/plan-import.ts";
import type { NodeFile } from "../move/read-hand-ranges.ts";
import type { AnnotationChange } from "../survey/annotation-plan.ts";
import { describeConflict, findConflicts } from "../survey/conflicts.ts";
import { podCIDRsKey } from "../survey/node-ranges.ts";
import { formatRangeSet, rangeSetsOf } from "../survey/range-set.ts";
import { type Survey, takeSurvey } from "../survey/survey.ts";
import { formatTable } from "../terminal/table.ts";
import { checkKey } from "./annotation-key.ts";
import { ask, canAsk } from "./ask.ts";
import { dryRunOption } from "./dry-run.ts";
import { addHelp } from "./help.ts";
import type { ImportFlags } from "./import-flags.ts";
import { type Fitting, importPool, manifestOf } from "./import-pool.ts";
import { readNodeFiles } from "./node-files.ts";
import { formatDocument, outputOption } from "./output.ts";
import type { Shell } from "./shell.ts";
import { surveyOptionsOf } from "./survey-flags.ts";
import { UsageError } from "./usage-error.ts";
import { writeAnnotations } from "./write-annotations.ts";

export function importCommand(shell: Shell, end: (code: number) => void): Command {
  const command = new Command("import")
    .description(
      "Takes host-local's ranges out of the CNI configurations of many nodes, as annotations or as a pool that gives each node what it has",
    )
    .addArgument(new Argument("<what>", "what to import").choices(["ranges"]))
    .argument("<paths...>", "a folder with a subfolder a node (FOLDER/NODE/*.conflist), or such files")
    .option("--annotation <key>", "write each node's ranges into this annotation")
    .option("--pool <name>", "make a pool of this name, where one gives each node just what it has")
    .option("--network <name>", "the network, where the files have several")
    .addOption(dryRunOption())
    .option("-y, --yes", "don't ask on a terminal")
    .addOption(outputOption(["table", "json", "yaml", "name"]))
    .action(async (_what: string, paths: string[], flags: ImportFlags) => {
      if (flags.annotation !== undefined && flags.pool !== undefined)
        throw new UsageError("--annotation and --pool: give one of them");
      if (flags.annotation !== undefined) checkKey(flags.annotation);
      if (flags.pool !== undefined && !isPoolName(flags.pool))
        throw new UsageError(
          `--pool ${flags.pool}: expected a name of at most 63 small letters, digits, '-' and '.'`,
        );
      if (flags.dryRun === "server" && flags.pool !== undefined)
        throw new UsageError(
          "--dry-run=server: expected client: NodeBlocks are made of a pool that is there",
        );
      const files = readNodeFiles(paths);
      const { client } = await shell.connect(command);
      end(await importRanges(client, files, flags, shell));
    });
  return addHelp(
    command,
    [
      ["import ranges nodes/", "What is in nodes/NODE/*.conflist, and which pool would fit"],
      [
        "import ranges nodes/ --annotation=example.com/net1 --dry-run",
        "The annotations that would be written",
      ],
      ["import ranges nodes/ --pool=net1", "A pool, and each node's block of it"],
    ],
    [
      "0  every node has now what it had (or would have it)",
      "1  a doubt, so that nothing was written; or something went wrong",
      "2  a mistake in the words of the command",
    ],
  );
}

type Draft = { plan: ImportPlan; survey: Survey; fit: Fit; doubts: string[] };

async function importRanges(
  client: Client,
  files: NodeFile[],
  flags: ImportFlags,
  shell: Shell,
): Promise<number> {
  const draft = await prepare(client, files, flags, shell);
  show(draft, flags, shell);
  const { fit, doubts } = draft;
  if (doubts.length > 0) {
    shell.say("nothing was written");
    return 1;
  }
  if (flags.annotation !== undefined) return await annotateAll(client, draft, flags.annotation, flags, shell);
  if (flags.pool === undefined) {
    shell.say("nothing was written: --annotation=KEY or --pool=NAME takes them over");
    return 0;
  }
  if (!("why" in fit)) return await makePool(client, draft, fit, flags.pool, flags, shell);
  shell.say(`no pool gives each node what it has: ${fit.why}; --annotation=KEY does`);
  return 1;
}

async function prepare(
  client: Client,
  files: NodeFile[],
  { annotation, pool, network }: ImportFlags,
  shell: Shell,
): Promise<Draft> {
  const kinds = ["IPPool", "CIDRPool"] as const;
  const keys =
    annotation !== undefined
      ? [annotation]
      : pool === undefined
        ? []
        : kinds.map((kind) => poolAnnotationKey({ kind, name: pool }));
  const survey = await takeSurvey(client, {
    ...surveyOptionsOf({ key: [...keys, podCIDRsKey] }, shell),
    pods: false,
  });
  const names = new Set(survey.nodes.map(({ name }) => name));
  const plan = planImport(files, network, (name) => names.has(name));
  const key = keys[0] ?? "";
  return {
    plan,
    survey,
    fit: fitPool(plan.ranges),
    doubts: [...plan.doubts, ...conflictsOf(plan, survey, key), ...replaced(plan, survey, annotation)],
  };
}

/** Two nodes with one address, or an address of another Node's podCIDRs or of Services. */
function conflictsOf({ ranges, network }: ImportPlan, survey: Survey, key: string): string[] {
  const own = new Set(ranges.map(({ node }) => node));
  const others = survey.ranges
    .filter((one) => one.key === podCIDRsKey || !own.has(one.node))
    .flatMap(rangeSetsOf);
  const sets = ranges.flatMap(({ node, ranges }) => rangeSetsOf({ node, key: key || network, ranges }));
  return findConflicts([...others, ...sets], survey.serviceCIDRs, others.length).map(describeConflict);
}

/** What stands there and would be written over. */
function replaced({ ranges }: ImportPlan, survey: Survey, key: string | undefined): string[] {
  if (key === undefined) return [];
  const wanted = new Map(ranges.map((one) => [one.node, formatAnnotation(one)]));
  return survey.nodes.flatMap(({ name, annotations }) => {
    const [before, after] = [annotations[key], wanted.get(name)];
    if (before === undefined || after === undefined || before === after) return [];
    return [`${name} has ${key}=${before} already: take it away first (annotate ${name} ${key}-)`];
  });
}

function show(
  { plan, fit, doubts }: Draft,
  { output, pool, annotation, dryRun }: ImportFlags,
  shell: Shell,
): void {
  const rows = plan.ranges.map(({ node, ranges, path }) => [
    node,
    ranges.map(formatRangeSet).join(", "),
    path,
  ]);
  const isResult = pool === undefined && (dryRun === "client" || annotation === undefined);
  if (output === "table") (isResult ? shell.print : shell.say)(formatTable(["NODE", "RANGES", "FILE"], rows));
  for (const words of plan.notes) shell.say(`note: ${words}`);
  for (const words of doubts) shell.say(`${shell.paint.red("doubt:")} ${words}`);
  if (pool !== undefined || annotation !== undefined) return;
  shell.say(
    "why" in fit
      ? `no pool gives each node what it has: ${fit.why}`
      : `a ${fit.kind} gives each node what it has: ${JSON.stringify(fit.spec)}`,
  );
}

async function annotateAll(
  client: Client,
  { plan, survey }: Draft,
  key: string,
  flags: ImportFlags,
  shell: Shell,
): Promise<number> {
  const facts = new Map(survey.nodes.map((node) => [node.name, node]));
  const changes = plan.ranges.flatMap((one): AnnotationChange[] => {
    const node = facts.get(one.node);
    const before = node?.annotations[key];
    return node ? [{ node, ...(before !== undefined && { before }), after: formatAnnotation(one) }] : [];
  });
  if (!(await isWanted(`Annotate ${changes.length} nodes?`, flags, shell))) return 1;
  const code = await writeAnnotations(
    changes,
    { key, dryRun: flags.dryRun, output: flags.output },
    client,
    shell,
  );
  sayNext(plan.network, { type: "kube-node", annotation: key }, shell);
  return code;
}

async function makePool(
  client: Client,
  { plan, survey }: Draft,
  fit: Fitting,
  name: string,
  flags: ImportFlags,
  shell: Shell,
): Promise<number> {
  const label = `${fit.kind.toLowerCase()}/${name}`;
  const format = flags.output === "json" ? "json" : "yaml";
  if (flags.dryRun === "client") shell.print(await formatDocument(manifestOf(name, fit), format));
  else {
    if (!(await isWanted(`Make ${label} and ${fit.places.length} NodeBlocks?`, flags, shell))) return 1;
    const nodes = new Map(survey.nodes.map((node) => [node.name, node]));
    const faults = await importPool(client, name, fit, nodes, shell);
    for (const words of faults) shell.say(`${shell.paint.red("failed:")} ${words}`);
    if (faults.length > 0) return 1;
    shell.print(`${label} made, with the blocks of ${fit.places.length} nodes`);
  }
  shell.say("every other Node gets a block, too: set spec.nodeSelector where it shan't");
  sayNext(
    plan.network,
    { type: "kube-node", pool: name, ...(fit.kind === "CIDRPool" && { poolType: "cidrpool" }) },
    shell,
  );
  return 0;
}

/** What is left for a person to do on the nodes. */
function sayNext(network: string, ipam: object, shell: Shell): void {
  shell.say(
    `network ${network}: "ipam": ${JSON.stringify(ipam)} in the place of host-local's; leases that are there stay (kube-node adopt)`,
  );
}

async function isWanted(question: string, { dryRun, yes }: ImportFlags, shell: Shell): Promise<boolean> {
  if (dryRun !== "none" || yes || !canAsk()) return true;
  if (await ask(question)) return true;
  shell.say("nothing was written");
  return false;
}
