import type { NodeFacts } from "../kube/node.ts";

/** `node` is undefined until the API server was heard, and where it has no such Node. */
export type OwnNode = {
  readonly name: string;
  current(): NodeFacts | undefined;
  /** Called at every change, not for what is there already. */
  onChange(listener: (node: NodeFacts | undefined) => void): void;
  set(node: NodeFacts | undefined): void;
};

export function makeOwnNode(name: string): OwnNode {
  const listeners: ((node: NodeFacts | undefined) => void)[] = [];
  let current: NodeFacts | undefined;
  return {
    name,
    current: () => current,
    onChange: (listener) => void listeners.push(listener),
    set: (node) => {
      current = node;
      for (const listener of listeners) listener(node);
    },
  };
}
