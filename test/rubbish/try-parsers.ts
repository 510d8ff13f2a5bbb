// node|bun try-parsers.ts SEED COUNT: rubbish for every parser, a line of JSON for each. COUNT is how much each gets at most.
import fc from "fast-check";
import { makeParsers, type Parser } from "./parsers.ts";
import { monsters, rubbish } from "./texts.ts";

/** `slowest` in ms of the processor's time, `failure` with what was read and what came of it. */
export type Report = { parser: string; tried: number; slowest: number; failure?: string };

const longestMessage = 10_000;
/** Some hundred characters are read in less, a monster in less than a call has. Milliseconds of the processor's time. */
const patience = { rubbish: 500, monster: 10_000 };

const [seed = 0, count = 100] = process.argv.slice(2).map(Number);

async function tryParser(name: string, parser: Parser): Promise<Report> {
  const report: Report = { parser: name, tried: 0, slowest: 0 };
  const once = async (text: string, longest: number) => {
    const start = process.cpuUsage();
    const problem = await faultOf(parser, text);
    const took = process.cpuUsage(start).user / 1000;
    report.tried++;
    report.slowest = Math.max(report.slowest, took);
    if (problem !== undefined) throw new Error(problem);
    if (took > longest) throw new Error(`took ${took.toFixed()} ms of the processor`);
  };
  const numRuns = Math.ceil(count * (parser.share ?? 1));
  const property = fc.asyncProperty(rubbish(parser.good), (text) => once(text, patience.rubbish));
  const found = await fc.check(property, { seed, numRuns });
  if (found.failed) return { ...report, failure: String(fc.defaultReportMessage(found)) };
  if (parser.tame && !process.versions["bun"]) return report;
  for (const [monster, make] of Object.entries(monsters)) {
    try {
      await once(make(), patience.monster);
    } catch (error) {
      return { ...report, failure: `${monster}: ${(error as Error).message}` };
    }
  }
  return report;
}

/** Undefined where it was read, or refused in words. */
async function faultOf({ read, refuses = () => false }: Parser, text: string): Promise<string | undefined> {
  let thrown: unknown;
  try {
    await read(text);
  } catch (error) {
    thrown = error;
  }
  if (Object.keys(Object.prototype).length > 0) return "changed Object.prototype";
  if (thrown === undefined) return undefined;
  if (!refuses(thrown)) return `threw ${describe(thrown)}`;
  const { message, details = "" } = thrown as { message: string; details?: string };
  if (message === "") return "refused it without a word";
  if (`${message}${details}`.length > longestMessage)
    return `refused it in ${message.length + details.length} characters`;
  return /\n\s+at /.test(`${message}${details}`) ? `refused it with a stack trace: ${message}` : undefined;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message).slice(0, 1500) : String(error);
}

const { parsers, close } = makeParsers();
process.once("exit", close);
for (const parser of Object.values(parsers))
  await Promise.all(parser.good.map(async (text) => await parser.read(text)));
for (const [name, parser] of Object.entries(parsers))
  console.log(JSON.stringify(await tryParser(name, parser)));
