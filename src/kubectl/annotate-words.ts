import { checkKey } from "./annotation-key.ts";
import { refuseBoth } from "./choose-nodes.ts";
import { UsageError } from "./usage-error.ts";

/** What `annotate` is asked for: nodes by name, one key, and its new value; without one it is to be taken away. */
export type AnnotateWords = { nodes: string[]; key: string; text?: string };

export type AnnotateFlags = { ranges?: string; remove?: string; selector?: string; all?: boolean };

/** `NODE… KEY=CIDRS`, `NODE… KEY --ranges=JSON`, `NODE… KEY-` as kubectl has it, or `NODE… --remove KEY`. */
export function readAnnotateWords(words: string[], flags: AnnotateFlags): AnnotateWords {
  const asked = readChange(words, flags);
  checkKey(asked.key);
  const bySelector = flags.selector !== undefined || flags.all === true;
  refuseBoth(asked.nodes, bySelector, "-l or --all");
  if (!bySelector && asked.nodes.length === 0)
    throw new UsageError("no node is named: give NODE…, -l SELECTOR or --all before the annotation");
  const odd = asked.nodes.find((name) => !/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(name));
  if (odd !== undefined) throw new UsageError(`no Node can have the name ${JSON.stringify(odd)}`);
  return asked;
}

function readChange(words: string[], { ranges, remove }: AnnotateFlags): AnnotateWords {
  if (remove !== undefined) {
    if (ranges !== undefined) throw new UsageError("--ranges and --remove: give one of both");
    return { nodes: words.map(nodeOf), key: remove };
  }
  const [last = "", ...nodes] = words.toReversed();
  const names = () => nodes.reverse().map(nodeOf);
  if (ranges !== undefined) return { nodes: names(), key: last, text: ranges.trim() };
  const equals = last.indexOf("=");
  if (equals > 0) return { nodes: names(), key: last.slice(0, equals), text: last.slice(equals + 1).trim() };
  if (/.-$/.test(last)) return { nodes: names(), key: last.slice(0, -1) };
  throw new UsageError(
    "what is to be written? Expected NODE… KEY=CIDRS, NODE… KEY --ranges=JSON, or NODE… KEY- to take it away",
  );
}

function nodeOf(word: string): string {
  if (word.includes("=")) throw new UsageError(`${word}: one annotation at a time, as the last word`);
  return word.replace(/^nodes?\//, "");
}
