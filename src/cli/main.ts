import type { Environment } from "../cni/environment.ts";
import { CniError } from "../cni/error.ts";
import { isErrno } from "../host/files.ts";
import { version } from "../host/version.ts";
import { openTerminal, type Terminal } from "./terminal.ts";
import { usage } from "./usage.ts";
import { UsageError } from "./usage-error.ts";

type Program = keyof typeof usage;

/** What a person typed, to text on standard output and an exit code; errors are a sentence on standard error. */
export async function runCommand(
  program: Program,
  command: string | undefined,
  words: string[],
  env: Environment,
): Promise<number> {
  const terminal = openTerminal(env);
  try {
    return await dispatch(program, command, words, terminal);
  } catch (error) {
    if (isErrno(error, "EPIPE")) return 1; // `| head` has seen enough.
    terminal.note(`${program}: ${wordsOf(error as Error)}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** What was wrong, and what to do about it where that is known. */
function wordsOf(error: Error): string {
  if (error instanceof CniError && error.details) return `${error.message}: ${error.details}`;
  const isForbidden = isErrno(error, "EACCES", "EPERM") && process.geteuid?.() !== 0;
  return isForbidden ? `${error.message}: run it as root` : error.message;
}

async function dispatch(
  program: Program,
  command: string | undefined,
  words: string[],
  terminal: Terminal,
): Promise<number> {
  if (command === undefined) return note(terminal, introduce(program));
  if (command === "-version" || command === "--version")
    return say(terminal, `${nameOf(program)} ${version}`);
  if (program === "node-annotation") {
    if (isHelp(command)) return say(terminal, usage[program]);
    const { runNodeAnnotation } = await import("./node-annotation.ts");
    return await runNodeAnnotation(command, words, terminal);
  }
  if (program === "nv-ipam") {
    if (isHelp(command)) return say(terminal, usage[program]);
    throw new UsageError(
      `unknown command ${JSON.stringify(command)}; commands are kube-node's: kube-node -h`,
    );
  }
  return await runKubeNode(command, words, terminal);
}

/** Under another project's name it says what it is. */
function nameOf(program: Program): string {
  return program === "nv-ipam" ? "kube-node" : program;
}

async function runKubeNode(command: string, words: string[], terminal: Terminal): Promise<number> {
  const [{ listCommands, runCommandLine }, { kubeNodeCommands }] = await Promise.all([
    import("./command-line.ts"),
    import("./kube-node-commands.ts"),
  ]);
  const isAboutOne = isHelp(command) && words.length > 0;
  if (isHelp(command) && !isAboutOne) {
    const list = `Commands (kube-node COMMAND --help says more):\n${listCommands(kubeNodeCommands)}`;
    return say(terminal, `${usage["kube-node"]}\n\n${list}`);
  }
  const line = isAboutOne ? ["help", ...words] : [command, ...words];
  return await runCommandLine("kube-node", kubeNodeCommands, line, terminal);
}

function isHelp(word: string): boolean {
  return /^(help|-h|-help|--help)$/i.test(word);
}

function introduce(program: Program): string {
  return `${program} ${version}: a CNI IPAM plugin that a container runtime calls; CNI_COMMAND is not set. ${program} -h says more.`;
}

function say(terminal: Terminal, text: string): 0 {
  terminal.say(text);
  return 0;
}

function note(terminal: Terminal, text: string): 0 {
  terminal.note(text);
  return 0;
}
