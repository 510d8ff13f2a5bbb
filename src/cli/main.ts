import type { Environment } from "../cni/environment.ts";
import { CniError, code, formatError } from "../cni/error.ts";
import { newest } from "../cni/versions.ts";
import { writeAll } from "../host/files.ts";
import { version } from "../host/version.ts";
import { getAnnotation, showMyNode } from "./node-annotation.ts";
import { usage } from "./usage.ts";

type Program = keyof typeof usage;

/** A mistake in the words of a command: 2, as everything that went wrong is 1. */
class UsageError extends Error {}

/** What a person typed, to text on standard output and an exit code; errors are a sentence on standard error. */
export async function runCommand(
  program: Program,
  command: string | undefined,
  words: string[],
  env: Environment,
): Promise<number> {
  try {
    return await dispatch(program, command, words, env);
  } catch (error) {
    const { message } = error as Error;
    const details = error instanceof CniError && error.details ? `: ${error.details}` : "";
    writeAll(2, `${program}: ${message}${details}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function dispatch(
  program: Program,
  command: string | undefined,
  words: string[],
  env: Environment,
): Promise<number> {
  if (command === undefined) return say(2, introduce(program));
  if (command === "-version" || command === "--version") return say(1, `${program} ${version}`);
  if (/^(help|-h|-help|--help)$/i.test(command)) return say(1, usage[program]);
  if (program === "node-annotation") return await runNodeAnnotation(command, words, env);
  throw new UsageError(`unknown command ${JSON.stringify(command)}; kube-node -h lists what there is`);
}

async function runNodeAnnotation(command: string, words: string[], env: Environment): Promise<number> {
  switch (command) {
    case "my_node":
      return say(1, await showMyNode(env));
    case "get_annotation":
      return say(1, await getAnnotation(...readGetAnnotation(words), env));
    case "error_quit":
      say(
        1,
        formatError(new CniError(code.tryAgainLater, `FAILED: ${words[0] || "node-annotation"}`), newest),
      );
      return 1;
    default:
      throw new UsageError(
        `unknown command ${JSON.stringify(command)}; node-annotation -h lists what there is`,
      );
  }
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

function introduce(program: Program): string {
  return `${program} ${version}: a CNI IPAM plugin that a container runtime calls; CNI_COMMAND is not set. ${program} -h says more.`;
}

function say(stream: 1 | 2, text: string): 0 {
  writeAll(stream, `${text}\n`);
  return 0;
}
