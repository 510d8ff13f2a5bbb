import { type Span, spanOf } from "../address/range.ts";
import { AnnotationError, type NodeRanges, parseAnnotation } from "../api/annotation.ts";
import { nestRanges, parseAnnotationBody } from "../api/annotation-body.ts";
import { parsePoolAnnotation, parsePoolRange } from "../api/pool-annotation.ts";
import { rangeSetsFault } from "../api/range-rules.ts";
import { locateJson } from "../text/json.ts";
import type { SourceText } from "./located.ts";

/** kube-node's own grammar, node-annotation's, and what the controller writes of a pool's blocks. */
export type AnnotationForm = "ranges" | "body" | "pool";

/** The value of an annotation in one of its forms; the addresses that it has pods given, where it is good. */
export function checkAnnotation(
  source: SourceText,
  form: AnnotationForm,
  error: (at: number, words: string) => void,
): Span[] {
  try {
    if (form === "pool") return poolSpans(source.text);
    const { ranges } = form === "ranges" ? parseAnnotation(source.text) : parseBody(source, error);
    return ranges.flat().map(spanOf);
  } catch (fault) {
    if (!(fault instanceof AnnotationError)) throw fault;
    error(source.toFile(fault.position - 1), fault.message.replace(/^at character \d+: /, ""));
    return [];
  }
}

function poolSpans(text: string): Span[] {
  return parsePoolAnnotation(text).blocks.flatMap(({ ranges }) =>
    ranges.flatMap((range) => parsePoolRange(range) ?? []),
  );
}

/** Another delegate than host-local may read a body: only what is called `ranges` is checked, as host-local's. */
function parseBody(
  { text, toFile }: SourceText,
  error: (at: number, words: string) => void,
): Pick<NodeRanges, "ranges"> {
  const { ranges } = nestRanges(parseAnnotationBody(text));
  if (ranges === undefined) return { ranges: [] };
  const fault = rangeSetsFault(ranges, "ranges");
  if (!fault) return { ranges: ranges as NodeRanges["ranges"] };
  const { positions, keys } = locateJson(`{${text}}`, { bareKeys: true });
  const places = fault.isKey ? keys : positions;
  // Entries that stand alone were nested: their paths are one step shorter.
  const paths = [fault.path, fault.path.replace(/^(ranges\[\d+\])\[0\]/, "$1")];
  const found = paths.map((path) => places.get(path)).find((place) => place !== undefined);
  error(toFile(Math.max(0, (found ?? 1) - 1)), `${fault.path}: ${fault.words}`);
  return { ranges: [] };
}
