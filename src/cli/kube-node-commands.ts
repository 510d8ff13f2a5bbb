import { audit } from "./audit.ts";
import type { Command } from "./command.ts";
import { explain } from "./explain.ts";
import { getAnnotation } from "./get-annotation.ts";
import { myNode } from "./my-node.ts";
import { show } from "./show.ts";

/** kube-node's commands, in the order in which its help lists them. */
export const kubeNodeCommands: readonly Command[] = [myNode, getAnnotation, show, explain, audit];
