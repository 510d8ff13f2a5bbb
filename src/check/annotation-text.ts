import { type Span, spanOf } from "../address/range.ts";
import { AnnotationError, type NodeRanges, parseAnnotation } from "../api/annotation.ts";
import { nestRanges, parseAnnotationBody } from "../api/annotation-body.ts";
import { rangeSetsFault } from "../api/range-rules.ts";
import { locateJson } from "../text/json.ts";
import type { SourceText } from "./located.ts";
import type { Report } from "./report.ts";

/** The value of an annotation in one of its two forms; the addresses that it has pods given, where it is good. */
export function checkAnnotation(source: SourceText, form: "ranges" | "body", report: Report): Span[] {
  try {
    const { ranges } = form === "ranges" ? parseAnnotation(source.text) : parseBody(source, report);
    return ranges.flat().map(spanOf);
  } catch (error) {
    if (!(error instanceof AnnotationError)) throw error;
    const words = error.message.replace(/^at character \d+: /, "");
    report.error(source.toFile(error.position - 1), words);
    return [];
  }
}

/** Another delegate than host-local may read a body: only what is called `ranges` is checked, as host-local's. */
function parseBody({ text, toFile }: SourceText, report: Report): Pick<NodeRanges, "ranges"> {
  const { ranges } = nestRanges(parseAnnotationBody(text));
  if (ranges === undefined) return { ranges: [] };
  const fault = rangeSetsFault(ranges, "ranges");
  if (!fault) return { ranges: ranges as NodeRanges["ranges"] };
  const { positions } = locateJson(`{${text}}`, { bareKeys: true });
  // Entries that stand alone were nested: their paths are one step shorter.
  const paths = [fault.path, fault.path.replace(/^(ranges\[\d+\])\[0\]/, "$1"), "ranges"];
  const found = paths.map((path) => positions.get(path)).find((position) => position !== undefined);
  report.error(toFile(Math.max(0, (found ?? 1) - 1)), `${fault.path}: ${fault.words}`);
  return { ranges: [] };
}
