import { CniError, code, formatError } from "../cni/error.ts";
import { newest } from "../cni/versions.ts";
import { readNodeFile } from "../request/node-annotation.ts";
import { type Access, readAnnotation, showOwnNode } from "./own-node.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/** node-annotation's commands, spelled as the original's; the exit code. */
export async function runNodeAnnotation(
  command: string,
  words: string[],
  terminal: Terminal,
): Promise<number> {
  switch (command) {
    case "my_node":
      terminal.say(await showOwnNode(readAccess(terminal)));
      return 0;
    case "get_annotation":
      terminal.say(await readAnnotation(...readGetAnnotation(words), readAccess(terminal)));
      return 0;
    case "error_quit":
      terminal.say(formatError(failure(words[0] || "node-annotation"), newest));
      return 1;
    default:
      throw new UsageError(
        `unknown command ${JSON.stringify(command)}; node-annotation -h lists what there is`,
      );
  }
}

function readAccess({ env }: Terminal): Access {
  const { kubeconfig } = readNodeFile(env);
  return { env, kubeconfig };
}

function failure(message: string): CniError {
  return new CniError(code.tryAgainLater, `FAILED: ${message}`);
}

function readGetAnnotation(words: string[]): [key: string, node: string | undefined] {
  const flags = words.filter((word) => word.startsWith("--"));
  const [key, ...more] = words.filter((word) => !word.startsWith("--"));
  const unknown = flags.find((flag) => !/^--node=./.test(flag));
  if (unknown !== undefined) throw new UsageError(`unknown flag ${unknown}: expected --node=NODE`);
  if (key === undefined || more.length > 0)
    throw new UsageError("usage: node-annotation get_annotation [--node=NODE] ANNOTATION");
  return [key, flags.at(-1)?.slice("--node=".length)];
}
