import { AnnotationError } from "../api/annotation.ts";
import type { Client } from "../kube/client.ts";
import type { WantedAnnotation } from "../survey/annotation-plan.ts";
import { parseRanges } from "../survey/node-ranges.ts";
import type { Survey } from "../survey/survey.ts";
import type { AnnotateFlags, AnnotateWords } from "./annotate-words.ts";
import { checkNames } from "./choose-nodes.ts";
import { UsageError } from "./usage-error.ts";

/** The value as the plugin that reads it parses it. Throws a UsageError that says where it is malformed. */
export function readWanted({ key, text }: AnnotateWords, { networks }: Survey): WantedAnnotation {
  if (text === undefined) return { key, ranges: [] };
  const plugin = networks.find((network) => network.key === key)?.plugin ?? "kube-node";
  try {
    return { key, text, ranges: parseRanges(text, plugin) };
  } catch (error) {
    if (!(error instanceof AnnotationError)) throw error;
    throw new UsageError(`${JSON.stringify(text)}: ${error.message}`);
  }
}

/** Names of the Nodes that are meant; all of them are there. */
export async function findTargets(
  client: Client,
  survey: Survey,
  { nodes }: AnnotateWords,
  options: AnnotateFlags,
): Promise<Set<string>> {
  const known = new Set(survey.nodes.map(({ name }) => name));
  if (options.all) return known;
  if (options.selector === undefined) {
    checkNames(nodes, known);
    return new Set(nodes);
  }
  const pick = (item: unknown) => (item as { metadata: { name: string } }).metadata.name;
  const selected = await client.list("/api/v1/nodes", pick, { labelSelector: options.selector });
  if (selected.length > 0) return new Set(selected);
  throw new Error(`no Node has the labels ${options.selector}`);
}
