import { ApiError } from "../kube/api-error.ts";
import { eachAtOnce } from "../kube/at-once.ts";
import type { Client } from "../kube/client.ts";
import type { AnnotationChange } from "../survey/annotation-plan.ts";
import type { DryRun } from "./dry-run.ts";
import { formatList, type OutputFormat } from "./output.ts";
import { sayFew } from "./say-few.ts";
import type { Shell } from "./shell.ts";
import { writeAnnotation } from "./write-annotation.ts";

type Options = { key: string; dryRun: DryRun; output: OutputFormat };

/** An item of an AnnotationResultList. */
type Result = {
  node: string;
  key: string;
  value?: string;
  state: "annotated" | "annotation removed" | "unchanged" | "failed";
  error?: string;
};

const width = 16;

/** Writes to all Nodes, past failures, and tells of each; 1 where some failed. */
export async function writeAnnotations(
  changes: AnnotationChange[],
  options: Options,
  client: Client,
  shell: Shell,
): Promise<number> {
  let done = 0;
  const results = await eachAtOnce(changes, width, async (change) => {
    const result = await write(change, options, client);
    shell.progress(`${++done} of ${changes.length} nodes`);
    return result;
  });
  await report(results, options, shell);
  const failed = results.filter(({ state }) => state === "failed");
  if (failed.length === 0) return 0;
  sayFew(
    failed.map(({ node, error }) => `${shell.paint.red("failed:")} ${node}: ${error}`),
    shell,
  );
  shell.say(`${failed.length} of ${results.length} nodes could not be written; run it again for them`);
  return 1;
}

async function write(change: AnnotationChange, { key, dryRun }: Options, client: Client): Promise<Result> {
  const { node, before, after } = change;
  const result = { node: node.name, key, ...(after !== undefined && { value: after }) };
  if (before === after) return { ...result, state: "unchanged" };
  try {
    if (dryRun !== "client") await writeAnnotation(client, change, key, dryRun);
    return { ...result, state: after === undefined ? "annotation removed" : "annotated" };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { ...result, state: "failed", error: error.message };
  }
}

const suffixes: Record<DryRun, string> = { none: "", client: " (dry run)", server: " (server dry run)" };

async function report(results: Result[], { output, dryRun }: Options, shell: Shell): Promise<void> {
  if (output === "json" || output === "yaml")
    return shell.print(await formatList("AnnotationResultList", results, output));
  const good = results.filter(({ state }) => state !== "failed");
  const lines = good.map(({ node, state }) =>
    output === "name" ? `node/${node}` : `node/${node} ${state}${suffixes[dryRun]}`,
  );
  if (lines.length > 0) shell.print(lines.join("\n"));
}
