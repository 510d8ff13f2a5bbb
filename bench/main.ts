// The benchmark: ours and its peers around bare host-local, by whole processes. bench/options.ts has the flags.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkout } from "../test/parts/tools.ts";
import { describeResults } from "./describe.ts";
import { measure } from "./measure.ts";
import { parseOptions, usage } from "./options.ts";

const output = process.env["KUBE_NODE_OUTPUT"] ?? join(checkout, "_output");

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(usage);
    return 0;
  }
  try {
    if (args[0] === "agent") {
      const { benchAgent } = await import("./agent.ts");
      return await benchAgent(args.slice(1), output);
    }
    if (args[0] === "pools") {
      const { benchPools } = await import("./pools.ts");
      return await benchPools(args.slice(1), output);
    }
    const options = parseOptions(args, join(output, "bench.json"));
    const results = await measure(options, output);
    mkdirSync(dirname(options.json), { recursive: true });
    writeFileSync(options.json, `${JSON.stringify(results, undefined, 2)}\n`);
    console.log(describeResults(results));
    if (options.report) await import("./report.ts").then(({ writeReport }) => writeReport(results));
    return 0;
  } catch (error) {
    console.error(`bench: ${(error as Error).message}`);
    return 1;
  }
}
