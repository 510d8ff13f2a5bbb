import { parseCidr } from "../address/cidr.ts";
import { familyOf, type Range, type RangeSet } from "../address/range.ts";
import { AnnotationError, formatAnnotation, type NodeRanges, parseAnnotation } from "../api/annotation.ts";
import { nestRanges, parseAnnotationBody, spellOutRanges } from "../api/annotation-body.ts";
import { rangeSetsFault } from "../api/range-rules.ts";
import type { JsonObject } from "../text/json.ts";
import { type Grid, isBlock } from "./grid.ts";

/**
 * What a Node's annotation says now. `body` is node-annotation's spelling, which is read, but nothing is added to it;
 * `fault` is why it can't be read.
 */
export type Held = {
  readonly ranges: RangeSet[];
  readonly routes?: JsonObject[];
  readonly body?: true;
  readonly fault?: string;
};

export function readHeld(annotation: string | undefined): Held {
  if (annotation === undefined) return { ranges: [] };
  try {
    return parseAnnotation(annotation);
  } catch (error) {
    if (!(error instanceof AnnotationError)) throw error;
    return readBody(annotation) ?? { ranges: [], fault: error.message };
  }
}

/** The ranges of a grid's family. */
export function rangesIn({ ranges }: Held, grid: Grid): Range[] {
  return ranges.flat().filter((range) => familyOf(range) === grid.network.ip.family);
}

/** The grid's block that is the only range of its family; undefined where there is none, several, or one of another kind. */
export function blockIn(held: Held, grid: Grid) {
  const [range, ...more] = rangesIn(held, grid);
  const subnet = range && more.length === 0 ? parseCidr(range.subnet) : undefined;
  return subnet && isBlock(grid, subnet) ? subnet : undefined;
}

/** The annotation with range sets added, everything else as it was. */
export function addRanges({ ranges, routes }: Held, added: RangeSet[]): string {
  const all: NodeRanges = { ranges: [...ranges, ...added], ...(routes && { routes }) };
  return formatAnnotation(all);
}

function readBody(text: string): Held | undefined {
  try {
    const { ranges } = spellOutRanges(nestRanges(parseAnnotationBody(text)));
    return rangeSetsFault(ranges, "ranges") ? undefined : { ranges: ranges as RangeSet[], body: true };
  } catch {
    return undefined;
  }
}
