import { checkAnnotation } from "../check/annotation-text.ts";
import { checkFiles, type File } from "../check/check-files.ts";
import { type Finding, openReport } from "../check/report.ts";
import { CniError, code } from "../cni/error.ts";
import { readText, readToEnd } from "../host/files.ts";
import type { Paint } from "../terminal/paint.ts";
import { visible } from "../text/visible.ts";
import { anyWords, defineCommand, list, output, text } from "./command.ts";
import { UsageError } from "./usage-error.ts";

const longestFile = 64 << 20;

export const checkConfig = defineCommand({
  name: "check-config",
  summary: "what is wrong with configurations, annotations and manifests, and where",
  details:
    "Takes plugin configurations, conflists, NetworkAttachmentDefinitions, Nodes (their annotations and podCIDRs), IPPools " +
    "and CIDRPools, as JSON or YAML of any number of documents; passes over other kinds. Annotations are checked that a " +
    "configuration among the files names, and those of kube-node's own domains. What it takes the plugin takes; keys that " +
    "nobody reads, of which the plugin only warns, are errors here.",
  inputs: {
    files: anyWords("files; - is standard input"),
    annotation: text("TEXT", "check this value of an annotation, too"),
    annotationBody: text("TEXT", "check this value in node-annotation's form, too"),
    key: list("KEY", "these annotations of Nodes hold ranges, too"),
    output,
  },
  examples: [
    ["kube-node check-config /etc/cni/net.d/*", "what this machine's runtime reads"],
    ["kubectl get net-attach-def,nodes -A -o yaml | kube-node check-config -", "what a cluster has"],
    ["kube-node check-config --annotation='10.1.2.0/24,fd00:1::/64'", "a value before it is set"],
  ],
  fails: "there are errors (warnings alone are none)",
  async run({ files, annotation, annotationBody, key, output }, { say, note, paint }) {
    if (files.length === 0 && annotation === undefined && annotationBody === undefined)
      throw new UsageError("nothing to check: name files, - for standard input, or --annotation=TEXT");
    const named = new Map(key.map((one) => [one, "ranges"] as const));
    const findings = [
      ...checkFiles(files.map(readFile), named),
      ...(annotation === undefined ? [] : checkText("--annotation", annotation, "ranges")),
      ...(annotationBody === undefined ? [] : checkText("--annotation-body", annotationBody, "body")),
    ];
    const errors = findings.filter(({ severity }) => severity === "error").length;
    if (output === "json") say(JSON.stringify({ findings: findings.map(toJson) }, null, 2));
    else {
      if (findings.length > 0) say(findings.map((finding) => formatFinding(finding, paint)).join("\n"));
      note(`${count(errors, "error")}, ${count(findings.length - errors, "warning")}`);
    }
    return errors > 0 ? 1 : 0;
  },
});

function readFile(path: string): File {
  if (path === "-") return { name: "<stdin>", text: readToEnd(0, longestFile) };
  const text = readText(path, longestFile);
  if (text === undefined) throw new CniError(code.io, `there is no file ${path}`);
  return { name: path, text };
}

function checkText(name: string, text: string, form: "ranges" | "body"): Finding[] {
  const findings: Finding[] = [];
  checkAnnotation({ text, toFile: (position) => position }, form, openReport(name, text, findings).error);
  return findings;
}

/** As compilers do, so that editors find the place. */
function formatFinding({ file, line, column, severity, words }: Finding, paint: Paint): string {
  const colour = severity === "error" ? paint.red : paint.yellow;
  return `${visible(file)}:${line}:${column}: ${colour(`${severity}:`)} ${visible(words)}`;
}

/** The documented shape of `-o json`. */
function toJson({ words, ...place }: Finding) {
  return { ...place, message: words };
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
