import { parser } from "@prometheus-io/lezer-promql";

type SyntaxNode = ReturnType<typeof parser.parse>["topNode"];

/** A metric that a query selects, and what it asks of its labels. */
export type Selector = { metric: string; matchers: { label: string; values: string[] }[] };

/** Throws where Prometheus' own grammar finds a mistake. `grouping` are the labels behind by, without, on and ignoring. */
export function readQuery(query: string): { selectors: Selector[]; grouping: string[] } {
  const selectors: Selector[] = [];
  const grouping: string[] = [];
  const text = ({ from, to }: { from: number; to: number }) => query.slice(from, to);
  parser.parse(query).iterate({
    enter({ type, node, from }) {
      if (type.isError) throw new Error(`at character ${from + 1} of ${query}`);
      if (type.name === "VectorSelector") selectors.push(readSelector(node, text));
      if (type.name === "LabelName" && node.parent?.name === "GroupingLabels") grouping.push(text(node));
    },
  });
  return { selectors, grouping };
}

function readSelector(node: SyntaxNode, text: (node: SyntaxNode) => string): Selector {
  const name = node.getChild("Identifier");
  const matchers = node.getChild("LabelMatchers")?.getChildren("UnquotedLabelMatcher") ?? [];
  return {
    metric: name ? text(name) : "",
    matchers: matchers.map((matcher) => {
      const [label, value] = ["LabelName", "StringLiteral"].map((kind) => matcher.getChild(kind));
      if (!label || !value) throw new Error(`not understood: ${text(matcher)}`);
      return { label: text(label), values: text(value).slice(1, -1).split("|") };
    }),
  };
}
