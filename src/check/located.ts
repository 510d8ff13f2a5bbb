import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, parseDocument } from "yaml";
import { parseJson } from "../text/json.ts";
import { scalarToFile, type ToFile } from "./scalar-position.ts";

export type Path = readonly (string | number)[];

/** A text of a file's, perhaps inside a string there, and where its characters stand in the file. */
export type SourceText = { text: string; toFile: ToFile };

/** A value of which is known where in its file everything stands. Of what isn't there, where its owner stands. */
export type Located = {
  value: unknown;
  /** Where the key at the end of the path stands. */
  key(path: Path): number;
  at(path: Path): number;
  /** A string in it, as a text of its own. */
  text(path: Path): SourceText | undefined;
};

/** A JSON text: JSON is YAML, whose parser knows where things stand. Throws a JsonSyntaxError, its position that in the text. */
export function locateJsonText(source: SourceText): Located & { twice: number[] } {
  const value = parseJson(source.text);
  const document = parseDocument(source.text, { prettyErrors: false });
  const twice = document.errors.filter(({ code }) => code === "DUPLICATE_KEY");
  return { ...locateNode(document, value, source), twice: twice.map(({ pos: [at] }) => source.toFile(at)) };
}

/** A YAML document of a file, or what is at a path of it. */
export function locateNode(document: Document, value: unknown, { text, toFile }: SourceText): Located {
  const offset = (node: Node | undefined | null) => toFile(node?.range?.[0] ?? 0);
  return {
    value,
    key: (path) => {
      const { key, value } = find(document, path);
      return offset(key ?? value);
    },
    at: (path) => offset(find(document, path).value),
    text: (path) => {
      const { value: node, isThere } = find(document, path);
      if (!isThere || !isScalar(node) || typeof node.value !== "string") return undefined;
      const inner = scalarToFile(text, node);
      return { text: node.value, toFile: (position) => toFile(inner(position)) };
    },
  };
}

/** The same, seen from inside: paths begin at `base`. */
export function within(located: Located, base: Path, value: unknown): Located {
  return {
    value,
    key: (path) => located.key([...base, ...path]),
    at: (path) => located.at([...base, ...path]),
    text: (path) => located.text([...base, ...path]),
  };
}

type Found = { key: Node | undefined; value: Node | undefined; isThere: boolean };

function find(document: Document, path: Path): Found {
  let found: Found = { key: undefined, value: document.contents as Node, isThere: true };
  for (const step of path) {
    const owner = isAlias(found.value) ? found.value.resolve(document) : found.value;
    const next = isMap(owner)
      ? pairAt(owner.items as Pair<Node, Node | null>[], step)
      : isSeq(owner)
        ? itemAt(owner.items as Node[], step)
        : undefined;
    if (!next) return { ...found, isThere: false };
    found = next;
  }
  return found;
}

function pairAt(pairs: Pair<Node, Node | null>[], step: string | number): Found | undefined {
  const pair = pairs.findLast(({ key }) => isScalar(key) && String(key.value) === String(step));
  return pair && { key: pair.key, value: pair.value ?? pair.key, isThere: true };
}

function itemAt(items: Node[], step: string | number): Found | undefined {
  const value = items[Number(step)];
  return value && { key: value, value, isThere: true };
}
