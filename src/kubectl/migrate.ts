import { Argument, Command, Option } from "commander";
import { ask, canAsk } from "./ask.ts";
import { addHelp } from "./help.ts";
import { lookBack, moveBack } from "./migrate-back.ts";
import { nameOfPool } from "./migrate-cluster.ts";
import type { MigrateFlags, Migration } from "./migrate-flags.ts";
import { lookIn, moveIn } from "./migrate-in.ts";
import { type PoolRow, reportSteps, rowsBack, rowsIn, showPlan } from "./migrate-report.ts";
import { outputOption } from "./output.ts";
import type { Shell } from "./shell.ts";
import { UsageError } from "./usage-error.ts";

export function migrateCommand(shell: Shell, end: (code: number) => void): Command {
  const command = new Command("migrate")
    .description("Moves a cluster in from nv-ipam, or back, step by step: no pod changes its address")
    .addArgument(new Argument("<from>", "where from").choices(["nv-ipam"]))
    .addOption(
      new Option("--dry-run [how]", "client: say what would be done, and write nothing")
        .choices(["none", "client"])
        .default("none")
        .preset("client"),
    )
    .option("--to-group", "rewrite its objects into ipam.kube-node.io as well")
    .option("--back", "the other way: what is ours becomes nv-ipam's again")
    .option("--finish", "the last step too: delete nv-ipam's objects (--to-group), or what is ours (--back)")
    .option("--stop-controller", "scale nv-ipam's controller to 0")
    .option("-y, --yes", "don't ask on a terminal")
    .addOption(outputOption(["table", "json", "yaml"]))
    .action(async (_from: string, own: Omit<MigrateFlags, "namespace">) => {
      const { client } = await shell.connect(command);
      const { namespace = "kube-system" } = command.optsWithGlobals<{ namespace?: string }>();
      end(await migrate({ client, shell, flags: { ...own, namespace } }));
    });
  return addHelp(
    command,
    [
      ["migrate nv-ipam --dry-run", "What there is, what would be done, and each doubt"],
      ["migrate nv-ipam", "All that can be done now; run it again after each step that waits"],
      [
        "migrate nv-ipam --to-group --finish",
        "To pools of ipam.kube-node.io, and without nv-ipam's at the end",
      ],
      ["migrate nv-ipam --back", "Back to nv-ipam; with --finish once it serves every node"],
    ],
    [
      "0  every step is done; of a dry run: there is no doubt",
      "1  a step waits, a pool is left out because of a doubt, or something went wrong; run it again",
      "2  a mistake in the words of the command",
    ],
  );
}

async function migrate(migration: Migration): Promise<number> {
  const { flags, shell } = migration;
  if (flags.back && (flags.toGroup || flags.stopController))
    throw new UsageError("--back: --to-group and --stop-controller are for the way in");
  if (flags.finish && !flags.toGroup && !flags.back)
    throw new UsageError("--finish deletes objects after --to-group, or with --back: give one of them");
  return flags.back ? await goBack(migration) : await goIn(migration, shell);
}

async function goIn(migration: Migration, shell: Shell): Promise<number> {
  const { flags } = migration;
  const look = await lookIn(migration);
  for (const one of look.plan.elsewhere)
    shell.say(
      `note: ${nameOfPool(one)} of namespace ${one.namespace} stays as it is: -n ${one.namespace} moves it`,
    );
  const rows = rowsIn(look);
  showPlan(rows, flags, shell);
  if (rows.length === 0) {
    shell.say(`nv-ipam has no pools in namespace ${flags.namespace}: nothing to move`);
    return await reportSteps([], [], flags, shell);
  }
  if (!(await isWanted(migration, rows, "Move them in"))) return 1;
  const { steps, look: now } = await moveIn(migration, look);
  return await reportSteps(flags.dryRun === "client" ? rows : rowsIn(now), steps, flags, shell);
}

async function goBack(migration: Migration): Promise<number> {
  const { flags, shell } = migration;
  const look = await lookBack(migration);
  const rows = rowsBack(look);
  showPlan(rows, flags, shell);
  if (rows.length === 0) {
    shell.say("nothing of these pools is ours: nothing to give back");
    return await reportSteps([], [], flags, shell);
  }
  if (!(await isWanted(migration, rows, "Give them back"))) return 1;
  const { steps, look: now } = await moveBack(migration, look);
  return await reportSteps(flags.dryRun === "client" ? rows : rowsBack(now), steps, flags, shell);
}

/** Asks where somebody sits there. */
async function isWanted({ flags, shell }: Migration, rows: PoolRow[], question: string): Promise<boolean> {
  if (flags.dryRun !== "none" || flags.yes || !canAsk()) return true;
  const pools = rows.filter(({ doubts }) => doubts.length === 0).length;
  if (await ask(`${question} (${pools} of ${rows.length} pools)?`)) return true;
  shell.say("nothing was written");
  return false;
}
