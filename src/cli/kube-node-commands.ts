import { adopt } from "./adopt.ts";
import { audit } from "./audit.ts";
import { checkConfig } from "./check-config.ts";
import type { Command } from "./command.ts";
import { doctor } from "./doctor.ts";
import { explain } from "./explain.ts";
import { getAnnotation } from "./get-annotation.ts";
import { myNode } from "./my-node.ts";
import { ranges } from "./ranges.ts";
import { show } from "./show.ts";
import { synthesize } from "./synthesize.ts";
import { tryOut } from "./try.ts";

/** kube-node's commands, in the order in which its help lists them. */
export const kubeNodeCommands: readonly Command[] = [
  myNode,
  getAnnotation,
  ranges,
  synthesize,
  tryOut,
  checkConfig,
  show,
  explain,
  audit,
  adopt,
  doctor,
];
