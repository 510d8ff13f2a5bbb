import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { type Cidr, network, parseCidr } from "../address/cidr.ts";
import { isPoolName } from "../api/pool-kind.ts";
import { poolAnnotationKey, poolOfAnnotationKey } from "../api/pool-names.ts";
import type { Client } from "../kube/client.ts";
import { chartPool } from "../map/from-pool.ts";
import { chartSurvey, keysByNodes } from "../map/from-survey.ts";
import { formatCount } from "../map/numbers.ts";
import type { Territory } from "../map/territory.ts";
import { readPoolObjects } from "../survey/pool-objects.ts";
import { labelOfKey } from "../survey/pool-ranges.ts";
import { type PoolView, viewPool } from "../survey/pool-view.ts";
import { type Survey, takeSurvey } from "../survey/survey.ts";
import { addHelp, usualExits } from "./help.ts";
import { findNoSuchPool } from "./no-such-pool.ts";
import { keysOfWord } from "./pool-words.ts";
import { warn } from "./say-few.ts";
import { withServed } from "./served-pools.ts";
import type { Shell } from "./shell.ts";
import { surveyOptionsOf } from "./survey-flags.ts";
import { UsageError } from "./usage-error.ts";

type Options = {
  selector?: string;
  cidr?: Cidr[];
  width?: number;
  height?: number;
  ascii?: boolean;
  svg?: string;
  html?: string;
};

export function mapCommand(shell: Shell): Command {
  const command = new Command("map")
    .description("The address space as a picture: whose each part is, how much of it is used, what is free")
    .argument(
      "[key]",
      "ranges of this annotation, a pool (NAME, ippool/NAME, cidrpool/NAME), or spec.podCIDRs (default: what most nodes have)",
    )
    .option("-l, --selector <selector>", "only nodes with these labels, as kubectl has it")
    .option("--cidr <networks>", "only these networks, with commas between them, whole", readNetworks)
    .option("--svg <file>", 'an SVG to this file instead ("-": to stdout)')
    .option(
      "--html <file>",
      'a page with search and zoom, in one file, to this file instead ("-": to stdout)',
    )
    .option("--width <columns>", "as if the window had so many columns", readSize)
    .option("--height <lines>", "as if it had so many lines", readSize)
    .option("--ascii", "no other characters than those of ASCII")
    .action((key: string | undefined, options: Options) => map(key, options, command, shell));
  return addHelp(
    command,
    [
      ["map", "What nodes have, as large as the window"],
      [
        "map example.com/net1 --cidr 172.20.0.0/16",
        "One annotation's ranges, and all that is free of a network",
      ],
      ["map ippool/a", "A pool's whole grid: given, closing, excluded and free"],
      ["map --html map.html", "A page to look closer: down to single addresses and their pods"],
      ["map --width 120 --height 60 | less", "As large as one likes"],
    ],
    usualExits,
  );
}

function readNetworks(text: string, before: Cidr[] = []): Cidr[] {
  const networks = text.split(",").map((part) => {
    const cidr = parseCidr(part.trim());
    if (!cidr)
      throw new UsageError(`--cidr ${JSON.stringify(part)}: expected a network such as 172.20.0.0/16`);
    return network(cidr);
  });
  return [...before, ...networks];
}

function readSize(text: string): number {
  if (!/^[1-9]\d{1,3}$/.test(text))
    throw new UsageError(`${JSON.stringify(text)} is no size: expected a number from 10 to 9999`);
  return Number(text);
}

async function map(
  given: string | undefined,
  options: Options,
  command: Command,
  shell: Shell,
): Promise<void> {
  const { client } = await shell.connect(command);
  const { selector } = options;
  const survey = await takeSurvey(client, {
    ...surveyOptionsOf(
      { ...(selector !== undefined && { selector }), ...(given && { key: keysOfWord(given) }) },
      shell,
    ),
    services: false,
  });
  const key = given ?? chooseKey(survey, shell);
  const isPart = selector !== undefined || options.cidr !== undefined;
  const view = await chooseView(client, survey, key, isPart, shell);
  warn(survey.notes, shell);
  const territory = view
    ? chartPool(view, survey, poolAnnotationKey(view), options.cidr)
    : chartSurvey(survey, key, options.cidr);
  const title = view?.label ?? labelOfKey(key);
  if (options.svg === undefined && options.html === undefined) await show(territory, title, options, shell);
  if (options.svg !== undefined) {
    const { drawSvg } = await import("../map/svg-map.ts");
    write(options.svg, drawSvg(territory, title), shell);
  }
  if (options.html !== undefined) {
    const { renderPage } = await import("../map/page.ts");
    write(options.html, renderPage(territory, { title, subtitle: subtitleFor(survey, territory) }), shell);
  }
}

/**
 * The pool that is meant; an annotation goes before a pool of that name. Throws where the word can mean nothing that is there: of a bare name
 * only where all nodes are looked at, and no network is drawn whatever nodes have.
 */
async function chooseView(
  client: Client,
  survey: Survey,
  word: string,
  isPart: boolean,
  shell: Shell,
): Promise<PoolView | undefined> {
  const keys = keysOfWord(word);
  const pools = keys.flatMap((key) => poolOfAnnotationKey(key) ?? []);
  const isBare = pools.length < keys.length;
  if (pools.length === 0 || (isBare && survey.ranges.some(({ key }) => key === word))) return undefined;
  const unread: string[] = [];
  const objects = await readPoolObjects(client, unread);
  survey.notes.push(...unread);
  const [view, ...others] = pools.flatMap((pool) => viewPool(survey, objects, pool) ?? []);
  const mayBeKey = survey.networks.some(({ key }) => key === word) || !isPoolName(word) || isPart;
  if (!view && unread.length === 0 && !(isBare && mayBeKey)) {
    const words = findNoSuchPool(labelOfKey(word), pools, survey, await withServed(client, objects));
    if (words !== undefined)
      throw new Error(isBare ? `no node has an annotation ${word}, and ${words}` : words);
  }
  for (const { label } of others) shell.say(`note: this is ${view?.label}; there is also ${label}`);
  return view;
}

function chooseKey(survey: Survey, shell: Shell): string {
  const [key, ...others] = keysByNodes(survey);
  if (key === undefined)
    throw new Error("no node has ranges: neither spec.podCIDRs nor an annotation that holds some");
  sayOthers(key, others, shell);
  return key;
}

function sayOthers(key: string, others: string[], shell: Shell): void {
  if (others.length > 0)
    shell.say(`note: this is ${labelOfKey(key)}; there are also: ${others.map(labelOfKey).join(", ")}`);
}

async function show(territory: Territory, key: string, options: Options, shell: Shell): Promise<void> {
  const { drawTerminal } = await import("../map/terminal-map.ts");
  const { glyphsFor } = await import("../map/glyphs.ts");
  const picture = drawTerminal(territory, key, {
    width: options.width ?? shell.width ?? 80,
    height: options.height ?? shell.height ?? 40,
    glyphs: glyphsFor(process.platform, options.ascii ? { LC_ALL: "C" } : shell.env),
    paint: shell.paint,
  });
  shell.print(picture);
}

function subtitleFor({ nodes, pods }: Survey, { summary }: Territory): string {
  const time = new Date().toISOString().slice(0, 16).replace("T", " ");
  const whole = summary === undefined ? "" : `${summary}. `;
  return `${whole}${formatCount(nodes.length)} nodes, ${formatCount(pods.length)} addresses of pods, as of ${time} UTC`;
}

function write(file: string, text: string, shell: Shell): void {
  if (file === "-") {
    shell.print(text.trimEnd());
    return;
  }
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new Error(`${file} can't be written: ${(error as Error).message}`);
  }
  shell.say(`wrote ${file}`);
}
