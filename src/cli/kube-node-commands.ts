import type { Command } from "./command.ts";
import { getAnnotation } from "./get-annotation.ts";
import { myNode } from "./my-node.ts";

/** kube-node's commands, in the order in which its help lists them. */
export const kubeNodeCommands: readonly Command[] = [myNode, getAnnotation];
