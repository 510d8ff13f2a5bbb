import { Command, CommanderError, Option } from "commander";
import { logLevels } from "../daemon/flags.ts";
import { UsageError } from "../daemon/usage-error.ts";
import { version } from "../host/version.ts";
import { type AgentConfig, credentialKinds, type Flags, readConfig } from "./config.ts";

/** What each command does with its configuration; the number is the exit code. */
export type Commands = Record<"run" | "install" | "uninstall", (config: AgentConfig) => Promise<number>>;

const summaries: Record<keyof Commands, string> = {
  run: "installs, follows its Node, frees leaks and shows what is used, until it is told to end",
  install: "installs the plugins, their credentials and (by --cni-config) a CNI configuration, once",
  uninstall: "takes back what install has put there, and nothing else",
};

/** Finds the command, reads its flags and the environment, and runs it. Mistakes are UsageErrors. */
export async function runCommandLine(
  words: string[],
  commands: Commands,
  say: (text: string) => void,
): Promise<number> {
  let exitCode = 0;
  const program = settle(new Command("kube-node-agent"), say)
    .description("The node agent of kube-node: it never stands between a pod and its address.")
    .version(`kube-node-agent ${version}`, "-V, --version", "what this is");
  for (const [name, run] of Object.entries(commands) as [keyof Commands, Commands["run"]][]) {
    const command = settle(program.command(name), say).summary(summaries[name]).description(summaries[name]);
    for (const option of options()) command.addOption(option);
    if (name === "uninstall")
      command.option("--stay", "then waits until it is told to end, as a DaemonSet's pod has to");
    command.action(async (flags: Flags) => {
      exitCode = await run(readConfig(flags));
    });
  }
  settle(program.command("version"), say)
    .description("what this is")
    .action(() => say(`kube-node-agent ${version}`));
  try {
    if (words.length === 0)
      throw new UsageError(
        "name a command: run, install, uninstall or version; kube-node-agent -h says more",
      );
    await program.parseAsync(words, { from: "user" });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    throw new UsageError(
      `${error.message.replace(/^error: /, "").replaceAll("\n", " ")}; kube-node-agent -h says more`,
    );
  }
}

function settle(command: Command, say: (text: string) => void): Command {
  return command
    .exitOverride()
    .configureOutput({ writeOut: (text) => say(text.trimEnd()), writeErr: () => {} })
    .configureHelp({ helpWidth: 110 })
    .helpOption("-h, --help", "this text");
}

/** The same for every command, so that uninstall finds what run has installed. */
function options(): Option[] {
  const usual = (flags: string, value: string, says: string) => new Option(flags, says).default(value);
  return [
    new Option("--node-name <NAME>", "the Node that this runs on").env("NODE_NAME"),
    new Option("--kubeconfig <FILE>", "the agent's own credentials (default: the pod's ServiceAccount)"),
    usual("--host-root <DIR>", "/host", "where the host's folders are mounted; / on the host itself"),
    usual("--cni-bin-dir <DIR>", "/opt/cni/bin", "the host's folder of CNI plugins"),
    usual("--cni-conf-dir <DIR>", "/etc/cni/net.d", "the host's folder of CNI configurations"),
    usual(
      "--run-dir <DIR>",
      "/run/kube-node",
      "the host's folder in which the plugin looks for the agent's word",
    ),
    new Option("--data-dir <DIR>", "a host folder of leases; may be given several times")
      .default(["/var/lib/cni/networks"])
      .argParser(collect()),
    new Option("--cri-socket <FILE>", "the container runtime's socket, as mounted here; looked at for leaks"),
    usual(
      "--metrics-address <HOST:PORT>",
      "127.0.0.1:9465",
      "where /metrics, /healthz and /readyz are served",
    ),
    new Option("--health-address <HOST:PORT>", "a second address for the same"),
    usual("--grace-period <TIME>", "2m", "how long a lease must have been dead before it is freed"),
    usual("--leak-interval <TIME>", "10m", "how often leaks are looked for"),
    new Option("--log-level <LEVEL>", "the least important that is written")
      .choices(logLevels)
      .default("info"),
    new Option(
      "--cni-config <FILE>",
      "a CNI configuration to install, as mounted here; one that isn't ours is never overwritten",
    ),
    new Option(
      "--credentials <KIND>",
      "whose the plugin uses; auto: the kubelet's where they can be seen, else a token",
    )
      .choices(credentialKinds)
      .default("auto"),
    new Option(
      "--plugin-account <NAME>",
      "the ServiceAccount of that token: NAME or NAMESPACE/NAME (default: the agent's own)",
    ),
    new Option("--dry-run", "finds leaks, frees nothing"),
    new Option("--force", "replaces newer executables by these"),
    new Option(
      "--nv-ipam",
      "installs the name nv-ipam, too, once nv-ipam's daemon has ended; the real one is kept beside it, and uninstall puts it back",
    ),
  ];
}

/** The first one given takes the place of the default. */
function collect(): (value: string) => string[] {
  const given: string[] = [];
  return (value) => {
    given.push(value);
    return [...given];
  };
}
