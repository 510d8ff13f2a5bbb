import { AnnotationError, parseAnnotation } from "../api/annotation.ts";
import { parseAnnotationBody } from "../api/annotation-body.ts";
import { isText } from "../api/plugin-config.ts";
import { rangeSetsFault } from "../api/range-rules.ts";
import { CniError, code } from "../cni/error.ts";
import type { JsonObject } from "../text/json.ts";
import { quote } from "../text/quote.ts";
import type { Fence } from "./wanted.ts";

/** What a Node says, as it was read: podCIDRs, or an annotation's text; null where the Node has none. */
export type NodeValue = string[] | string | null;

/** The facts of a Node that ranges can be read from. */
type Facts = { name: string; uid: string; podCIDRs: string[]; annotations: Record<string, string> };

/** Where on a Node a network's ranges stand, and how to read them there. */
export type Source = {
  /** For people and for file names: `spec.podCIDRs`, `annotation example.com/net1`. */
  label: string;
  /** Annotations change at any time; podCIDRs never do while the Node lives. */
  immutable: boolean;
  /** The Node's annotations that it is read from. */
  keys: string[];
  /** Where what it says counts for some time only: a pool's. */
  fence?: Fence;
  pick(facts: Facts): NodeValue;
  /** The keys that go into the delegate's `ipam`. Throws a CniError that names the Node and says what is wrong. */
  parse(value: NodeValue, node: string): JsonObject;
};

export const podCIDRs: Source = {
  label: "spec.podCIDRs",
  immutable: true,
  keys: [],
  pick: (facts) => (facts.podCIDRs.length > 0 ? facts.podCIDRs : null),
  parse(value, node) {
    if (value === null) {
      const hint =
        "kube-controller-manager gives it them with --allocate-node-cidrs; or name an annotation in ipam.annotation";
      throw new CniError(code.nodeRanges, `Node ${node} has no spec.podCIDRs`, hint);
    }
    const ranges = (Array.isArray(value) ? value : [value]).map((subnet) => [{ subnet }]);
    const fault = rangeSetsFault(ranges, "spec.podCIDRs");
    if (fault)
      throw new CniError(
        code.nodeRanges,
        `spec.podCIDRs of Node ${node} can't be used`,
        `${quote(String(value), 200)}: ${fault.words}`,
      );
    return { ranges };
  },
};

/** kube-node's annotations: the grammar of api/annotation.ts. */
export function annotation(key: string): Source {
  return annotated(key, (text) => ({ ...parseAnnotation(text) }), `${key}=10.1.2.0/24`);
}

/** node-annotation's: the inside of a JSON object. */
export function annotationBody(key: string): Source {
  return annotated(key, parseAnnotationBody, `${key}='ranges: [[{subnet: "10.1.2.0/24"}]]'`);
}

function annotated(key: string, parse: (text: string) => JsonObject, example: string): Source {
  return {
    label: `annotation ${key}`,
    immutable: false,
    keys: [key],
    pick: (facts) => (Object.hasOwn(facts.annotations, key) ? (facts.annotations[key] as string) : null),
    parse(value, node) {
      if (value === null) {
        throw new CniError(
          code.nodeRanges,
          `Node ${node} has no annotation ${key}`,
          `kubectl annotate node ${node} ${example}`,
        );
      }
      try {
        // A list comes from a state of the original's, which kept the networks apart.
        return parse(Array.isArray(value) ? value.join(",") : value);
      } catch (error) {
        if (!(error instanceof AnnotationError)) throw error;
        const message = `annotation ${key} of Node ${node} is malformed`;
        throw new CniError(
          code.nodeRanges,
          message,
          `${error.message}; the value is ${quote(String(value), 200)}`,
        );
      }
    },
  };
}

export function isNodeValue(value: unknown): value is NodeValue {
  return value === null || isText(value) || (Array.isArray(value) && value.every(isText));
}
