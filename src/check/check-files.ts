import { type Document, isAlias, isMap, isScalar, isSeq, parseAllDocuments, visit } from "yaml";
import { defaultConfigFile } from "../api/node-annotation-config.ts";
import { isObject, type JsonObject, kindOf } from "../text/json.ts";
import { type Located, locateNode, type SourceText, within } from "./located.ts";
import { checkNetworkAttachment, locateOrReport } from "./network-attachment.ts";
import { checkNetworkConfiguration, type NamedAnnotations } from "./network-configuration.ts";
import { checkNodeAnnotationFile, isNodeAnnotationFile } from "./node-annotation-file.ts";
import { checkNode } from "./node-manifest.ts";
import { type Claimed, reportOverlaps } from "./overlaps.ts";
import { checkPool, isPool } from "./pool-manifest.ts";
import { type Finding, openReport, type Report } from "./report.ts";

export type File = { name: string; text: string };

/** What the files say of one another: annotations that a configuration names, addresses that more than one has. */
type Context = { named: NamedAnnotations; claims: Claimed[]; later: (() => void)[] };

/**
 * Checks plugin configurations, lists of them, NetworkAttachmentDefinitions, Nodes and pools. Objects of other kinds are
 * passed over. In the order of the files, and of lines in them.
 */
export function checkFiles(files: File[], annotations: NamedAnnotations = new Map()): Finding[] {
  const findings: Finding[] = [];
  const context: Context = { named: new Map(annotations), claims: [], later: [] };
  for (const { name, text } of files) checkFile(text, openReport(name, text, findings), context);
  for (const check of context.later) check();
  reportOverlaps(context.claims);
  const order = new Map(files.map(({ name }, index) => [name, index]));
  const place = ({ file }: Finding) => order.get(file) ?? 0;
  return findings.sort((a, b) => place(a) - place(b) || a.line - b.line || a.column - b.column);
}

/** Where the YAML parser goes on, what it makes of the rest is its guess: one such error a document is enough. */
function checkFile(text: string, report: Report, context: Context): void {
  const source = { text, toFile: (position: number) => position };
  if (text.trimStart().startsWith("{")) {
    const located = locateOrReport(source, report);
    if (located) checkDocument(located, report, context);
    return;
  }
  const documents = parseAllDocuments(text, { prettyErrors: false, merge: true });
  if (!Array.isArray(documents) || documents.length === 0) {
    report.error(0, "the file is empty");
    return;
  }
  for (const document of documents) {
    const [error] = document.errors;
    if (error) report.error(error.pos[0], `YAML is malformed: ${lowerFirst(error.message)}`);
    else checkYaml(document, source, report, context);
  }
}

function checkYaml(document: Document, source: SourceText, report: Report, context: Context): void {
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    // An alias of nothing, so many that they would fill the memory, or a merge of what is no mapping.
    const at = unresolvedAlias(document) ?? unfitMerge(document) ?? document.range?.[0] ?? 0;
    report.error(at, `YAML is malformed: ${lowerFirst((error as Error).message)}`);
    return;
  }
  if (value !== null) checkDocument(locateNode(document, value, source), report, context);
}

/** Where the first `<<` stands whose value can't be merged. */
function unfitMerge(document: Document): number | undefined {
  let at: number | undefined;
  visit(document, {
    Pair(_, { key, value }) {
      if (!isScalar(key) || key.source !== "<<" || isMap(value) || isAlias(value) || isSeq(value))
        return undefined;
      at = key.range?.[0];
      return visit.BREAK;
    },
  });
  return at;
}

/** Where the first alias stands that no anchor stands before. */
function unresolvedAlias(document: Document): number | undefined {
  let at: number | undefined;
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document)) return undefined;
      at = alias.range?.[0];
      return visit.BREAK;
    },
  });
  return at;
}

function checkDocument(located: Located, report: Report, context: Context): void {
  const { value } = located;
  if (!isObject(value)) report.error(located.at([]), `expected an object, found ${kindOf(value)}`);
  else if ("kind" in value || "apiVersion" in value) checkObject(value, located, report, context);
  else if (isNodeAnnotationFile(value)) checkNodeAnnotationFile(value, located, report);
  else if (["type", "ipam", "plugins", "cniVersion"].some((key) => key in value))
    checkNetworkConfiguration(located, report, context.named);
  else {
    const words = `a plugin configuration, a list of them, ${defaultConfigFile}, or a Kubernetes object`;
    report.error(located.at([]), `this is nothing that can be checked: expected ${words}`);
  }
}

/** An object of Kubernetes; of another kind than ours it is somebody else's to check. */
function checkObject(value: JsonObject, located: Located, report: Report, context: Context): void {
  const { kind, apiVersion, items } = value;
  if (typeof kind !== "string" || typeof apiVersion !== "string") {
    const missing = typeof kind !== "string" ? "kind" : "apiVersion";
    report.error(located.at([missing]), `${missing}: expected a string, found ${kindOf(value[missing])}`);
  } else if (/List$/.test(kind) && Array.isArray(items)) {
    for (const [index, item] of items.entries()) {
      const inner = isObject(item) ? { apiVersion, kind: kind.slice(0, -"List".length), ...item } : item;
      checkDocument(within(located, ["items", index], inner), report, context);
    }
  } else if (kind === "NetworkAttachmentDefinition") checkNetworkAttachment(located, report, context.named);
  else if (kind === "Node" && apiVersion === "v1")
    context.later.push(() => checkNode(located, report, context.named, context.claims));
  else if (isPool(kind, apiVersion)) checkPool(kind, located, report, context.claims);
}

function lowerFirst(text: string): string {
  return `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`;
}
