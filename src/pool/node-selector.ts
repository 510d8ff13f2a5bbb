import type { IPPoolSpec } from "../api/pool-shape.ts";
import type { NodePredicate, PoolNode } from "./pool.ts";

type NodeSelector = NonNullable<IPPoolSpec["nodeSelector"]>;
type Term = NodeSelector["nodeSelectorTerms"][number];
type Requirement = NonNullable<Term["matchExpressions"]>[number];

/** As Kubernetes selects: terms are alternatives, a term's requirements hold together, and a term without any selects nothing. */
export function selectNodes(selector: NodeSelector | undefined): NodePredicate {
  if (!selector) return () => true;
  const terms = selector.nodeSelectorTerms.map(readTerm);
  return (node) => terms.some((selects) => selects(node));
}

function readTerm({ matchExpressions = [], matchFields = [] }: Term): NodePredicate {
  const requirements = [
    ...matchExpressions.map((one) => readRequirement(one, ({ labels }) => ownLabel(labels, one.key))),
    ...matchFields.map((one) => readRequirement(one, ({ name }) => name)),
  ];
  return (node) => requirements.length > 0 && requirements.every((holds) => holds(node));
}

function readRequirement(
  { operator, values = [] }: Requirement,
  read: (node: Parameters<NodePredicate>[0]) => string | undefined,
): NodePredicate {
  const listed = new Set(values);
  const bound = readInteger(values[0]);
  const compare = (holds: (value: bigint, bound: bigint) => boolean): NodePredicate => {
    return (node) => {
      const value = readInteger(read(node));
      return value !== undefined && bound !== undefined && holds(value, bound);
    };
  };
  const isListed: NodePredicate = (node) => {
    const value = read(node);
    return value !== undefined && listed.has(value);
  };
  switch (operator) {
    case "In":
      return isListed;
    case "NotIn":
      return (node) => !isListed(node);
    case "Exists":
      return (node) => read(node) !== undefined;
    case "DoesNotExist":
      return (node) => read(node) === undefined;
    case "Gt":
      return compare((value, than) => value > than);
    case "Lt":
      return compare((value, than) => value < than);
  }
}

/** Labels may be called like what every object has. */
function ownLabel(labels: PoolNode["labels"], key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

/** What Go's strconv.ParseInt takes for 64 bits. */
function readInteger(text: string | undefined): bigint | undefined {
  if (text === undefined || !/^[+-]?\d+$/.test(text)) return undefined;
  const value = BigInt(text.replace(/^\+/, ""));
  return BigInt.asIntN(64, value) === value ? value : undefined;
}
