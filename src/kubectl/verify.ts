import { Command } from "commander";
import { poolAnnotationKey, poolOfAnnotationKey } from "../api/pool-names.ts";
import { type Finding, findAll } from "../survey/findings.ts";
import { findPoolTroubles } from "../survey/pool-findings.ts";
import type { PoolObjects } from "../survey/pool-objects.ts";
import { labelOfKey } from "../survey/pool-ranges.ts";
import { findPoolStates } from "../survey/pool-states.ts";
import { type Survey, takeSurvey } from "../survey/survey.ts";
import { formatTable } from "../terminal/table.ts";
import { addHelp } from "./help.ts";
import { findNoSuchPool, hintAt } from "./no-such-pool.ts";
import { formatList, type OutputFormat, outputOption } from "./output.ts";
import { sayFew, warn } from "./say-few.ts";
import { readAllPools } from "./served-pools.ts";
import type { Shell } from "./shell.ts";
import { addKeyFlag, type SurveyFlags, surveyOptionsOf } from "./survey-flags.ts";
import { UsageError } from "./usage-error.ts";

type Options = Pick<SurveyFlags, "key"> & { output: OutputFormat; nearly: number };

export function verifyCommand(shell: Shell, end: (code: number) => void): Command {
  const command = addKeyFlag(new Command("verify"))
    .description(
      "Checks the whole cluster: ranges that overlap or are malformed, addresses outside or held twice, pools' blocks",
    )
    .option("--nearly <percent>", "from which use on a range is nearly full", readPercent, 90)
    .addOption(outputOption(["table", "json", "yaml"]))
    .action(async (options: Options) => end(await verify(options, command, shell)));
  return addHelp(
    command,
    [
      ["verify", "Everything, for people"],
      ["verify --key example.com/net1 --nearly 80", "One network, with an early warning"],
      ["verify -o json | jq -r '.items[].message'", "For scripts, which look at the exit code, too"],
    ],
    [
      "0  nothing was found; a warning says where no node has the --key",
      "1  something was found, there is no such pool, or something went wrong",
      "2  a mistake in the words of the command",
    ],
  );
}

function readPercent(text: string): number {
  const percent = Number(text.replace(/%$/, ""));
  if (text !== "" && percent > 0 && percent <= 100) return percent;
  throw new UsageError(`--nearly ${text}: expected a percentage such as 90`);
}

/** Throws where one of the keys is of a pool that isn't there. */
function checkPools(keys: readonly string[], survey: Survey, objects: PoolObjects): void {
  for (const key of keys) {
    const pool = poolOfAnnotationKey(key);
    const words = pool && findNoSuchPool(labelOfKey(key), [pool], survey, objects);
    if (words !== undefined) throw new Error(words);
  }
}

/** Sentences on keys that were asked for and that no node has: a typing error, or nobody has ranges by it yet. */
function describeUnseen(
  keys: readonly string[],
  { ranges }: Survey,
  { pools, blocks }: PoolObjects,
): string[] {
  const seen = new Set([
    ...ranges.map(({ key }) => key),
    ...blocks.map(({ spec }) => poolAnnotationKey(spec.pool)),
  ]);
  return keys
    .filter((key) => !seen.has(key))
    .map((key) => {
      const hint = poolOfAnnotationKey(key) ? "" : hintAt(key, pools);
      return `no node has ${labelOfKey(key)}${hint}: there is nothing of it to check`;
    });
}

async function verify({ key, nearly, output }: Options, command: Command, shell: Shell): Promise<number> {
  const { client } = await shell.connect(command);
  const survey = await takeSurvey(client, surveyOptionsOf({ ...(key && { key }) }, shell));
  const unread: string[] = [];
  const objects = await readAllPools(client, unread);
  survey.notes.push(...unread);
  if (unread.length === 0) checkPools(key ?? [], survey, objects);
  const ofRanges = findAll(survey, nearly);
  const isEmpty = key !== undefined && survey.ranges.length === 0;
  const notes = isEmpty ? [] : ofRanges.notes;
  const isChosen = (one: string) => key === undefined || key.includes(one);
  const findings = [
    ...ofRanges.findings,
    ...findPoolStates(survey, objects, isChosen),
    ...findPoolTroubles(survey, objects, isChosen),
  ];
  warn([...survey.notes, ...describeUnseen(key ?? [], survey, objects)], shell);
  sayFew(
    notes.map((note) => `note: ${note}`),
    shell,
  );
  sayFew(
    [...survey.keys].map(([name, reason]) => `annotation ${labelOfKey(name)}: ${reason}`),
    shell,
  );
  if (output === "json" || output === "yaml") shell.print(await formatList("FindingList", findings, output));
  else if (findings.length > 0)
    shell.print(
      formatTable(
        ["FOUND", "WHAT"],
        findings.map((one) => row(one, shell)),
      ),
    );
  const looked = `${survey.nodes.length} nodes, ${survey.ranges.length} ranges, ${survey.pods.length} addresses`;
  shell.say(
    findings.length === 0
      ? `${looked}: ${isEmpty ? "there was nothing to check" : "nothing is wrong"}`
      : `${looked}: ${findings.length === 1 ? "1 finding" : `${findings.length} findings`}`,
  );
  return findings.length === 0 ? 0 : 1;
}

function row({ check, message }: Finding, { paint }: Shell) {
  const colour = check === "nearly-full" ? paint.yellow : paint.red;
  return [{ text: check, paint: colour }, message];
}
