import type { Command } from "commander";
import { parseExclude, parseTerms, type WrittenTerms } from "../split/terms.ts";
import { checkKey } from "./annotation-key.ts";
import { type DryRun, dryRunOption } from "./dry-run.ts";
import { readDuration } from "./duration.ts";
import { type OutputFormat, outputOption } from "./output.ts";
import type { SplitOrder } from "./split-run.ts";
import { UsageError } from "./usage-error.ts";

/** What commander makes of split's flags. */
export type SplitFlags = {
  cidr?: string;
  perNode?: string;
  exclude?: string;
  reserveFirst?: string;
  selector?: string;
  planNamespace: string;
  releaseAfter: string;
  dryRun: DryRun;
  yes?: true;
  output: OutputFormat;
};

export function addSplitFlags(command: Command): Command {
  return command
    .option("--cidr <cidrs>", "the network, or one of each family, comma-separated; remembered")
    .option("--per-node <lengths>", "the prefix length of a node's block, one for each --cidr; remembered")
    .option("-l, --selector <selector>", "only nodes with these labels, as kubectl has it")
    .option(
      "--exclude <ranges>",
      'networks and FIRST-LAST that no node gets, comma-separated; remembered, "" for none',
    )
    .option(
      "--reserve-first <n>",
      "how many usable addresses at the start of each block pods don't get; remembered",
    )
    .option("--release-after <time>", "how long a deleted node's block is kept from others", "1h")
    .option("--plan-namespace <name>", "where split's plan of this annotation lies", "kube-system")
    .addOption(dryRunOption())
    .option("-y, --yes", "don't ask on a terminal")
    .addOption(outputOption(["table", "wide", "json", "yaml", "name"]));
}

/** What the words ask for. Throws a UsageError. */
export function orderOf(key: string, options: SplitFlags): SplitOrder {
  checkKey(key);
  const { planNamespace: namespace, dryRun, selector, releaseAfter } = options;
  return {
    place: { namespace, key, dryRun: dryRun === "server" },
    given: checkTerms(termsOf(options)),
    selector,
    releaseAfter: readDuration("--release-after", releaseAfter),
  };
}

function termsOf({ cidr, perNode, exclude, reserveFirst }: SplitFlags): WrittenTerms {
  return {
    ...(cidr !== undefined && { cidr }),
    ...(perNode !== undefined && { perNode }),
    ...(exclude !== undefined && { exclude }),
    ...(reserveFirst !== undefined && { reserveFirst }),
  };
}

/** What is wrong in itself is said before the cluster is asked. */
function checkTerms(given: WrittenTerms): WrittenTerms {
  try {
    if (given.exclude !== undefined) parseExclude(given.exclude);
    if (given.cidr !== undefined && given.perNode !== undefined) parseTerms(given);
    return given;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
