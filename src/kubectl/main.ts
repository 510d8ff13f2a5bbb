import { Command, CommanderError } from "commander";
import { CniError } from "../cni/error.ts";
import { isErrno } from "../host/files.ts";
import { version } from "../host/version.ts";
import type { Environment } from "../kube/connection.ts";
import { helpWidth } from "../terminal/help.ts";
import { commands } from "./commands.ts";
import { complete } from "./complete.ts";
import { addGlobalFlags } from "./global-flags.ts";
import { openShell, type Shell } from "./shell.ts";
import { spellFlags } from "./spell-flags.ts";
import { UsageError } from "./usage-error.ts";

/**
 * `kubectl kube-node WORDS`: 0 good, 1 something went wrong or was found, 2 a mistake in the words. By the name
 * kubectl_complete-kube_node it is what kubectl asks for completions.
 */
export async function runKubectl(name: string, words: string[], env: Environment): Promise<number> {
  const shell = openShell(env);
  const ended = { code: 0 };
  try {
    const program = makeProgram(shell, (code) => {
      ended.code = code;
    });
    const isAsked = /kubectl_complete-[^/\\]*$/.test(name);
    if (isAsked || words[0] === "__complete") {
      shell.print(await complete(isAsked ? words : words.slice(1), program, shell));
      return 0;
    }
    if (words.length === 0) {
      shell.say(program.helpInformation());
      return 2;
    }
    await program.parseAsync(spellFlags(program, words), { from: "user" });
    return ended.code;
  } catch (error) {
    return fail(shell, error);
  }
}

/** The whole of it, for running and for completion. */
function makeProgram(shell: Shell, end: (code: number) => void): Command {
  const program = addGlobalFlags(new Command("kubectl kube-node"))
    .description("Address ranges of Kubernetes Nodes, and the pods that use them")
    .version(version, "-V, --version", "what this is")
    .optionsGroup("Global flags:")
    .configureHelp({ helpWidth: helpWidth() })
    .exitOverride()
    .showHelpAfterError("(kubectl kube-node COMMAND --help says more)")
    .configureOutput({
      outputError: (text, write) => write(`kubectl kube-node: ${text.replace(/^error: /, "")}`),
    })
    .addHelpText("after", "\nkubectl kube-node COMMAND --help says more, with examples.");
  for (const add of commands) program.addCommand(inherit(add(shell, end), program));
  return program;
}

/** Subcommands that are added take nothing over by themselves. */
function inherit(command: Command, program: Command): Command {
  return command
    .copyInheritedSettings(program)
    .configureHelp({ showGlobalOptions: true, helpWidth: helpWidth() });
}

function fail(shell: Shell, error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (isErrno(error, "EPIPE")) return 1; // who read our output has gone
  const { message } = error as Error;
  const details = error instanceof CniError && error.details ? `: ${error.details}` : "";
  shell.say(`kubectl kube-node: ${message}${details}`);
  return error instanceof UsageError ? 2 : 1;
}
