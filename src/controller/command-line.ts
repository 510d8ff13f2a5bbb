import { Command, CommanderError, Option } from "commander";
import { controllerName } from "../api/pool-names.ts";
import { logLevels } from "../daemon/flags.ts";
import { UsageError } from "../daemon/usage-error.ts";
import { hostName } from "../host/machine.ts";
import { version } from "../host/version.ts";
import { type ControllerConfig, type Flags, readConfig } from "./config.ts";

/** Reads the flags and runs; the number is the exit code. Mistakes are UsageErrors. */
export async function runCommandLine(
  words: string[],
  run: (config: ControllerConfig) => Promise<number>,
  say: (text: string) => void,
): Promise<number> {
  let exitCode = 0;
  const program = new Command(controllerName)
    .description("Cuts IPPools and CIDRPools into node blocks, and writes each Node's into its annotations.")
    .version(`${controllerName} ${version}`, "-V, --version", "what this is")
    .exitOverride()
    .configureOutput({ writeOut: (text) => say(text.trimEnd()), writeErr: () => {} })
    .configureHelp({ helpWidth: 110 })
    .helpOption("-h, --help", "this text")
    .action(async (flags: Flags) => {
      exitCode = await run(readConfig(flags));
    });
  for (const option of options()) program.addOption(option);
  try {
    await program.parseAsync(words, { from: "user" });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    throw new UsageError(
      `${error.message.replace(/^error: /, "").replaceAll("\n", " ")}; ${controllerName} -h says more`,
    );
  }
}

/** As docs/controller.md tells of them. */
export function options(): Option[] {
  const usual = (flags: string, value: string, says: string) => new Option(flags, says).default(value);
  return [
    new Option("--kubeconfig <FILE>", "credentials (default: the pod's ServiceAccount)"),
    new Option("--leader-elect [BOOL]", "works only while it holds the Lease").default(true),
    new Option("--leader-elect-namespace <NAME>", "where the Lease is (default: the pod's own)").env(
      "POD_NAMESPACE",
    ),
    usual("--lease-duration <TIME>", "15s", "how long a leader that isn't heard keeps the Lease"),
    new Option("--identity <NAME>", "who this is among several").env("POD_NAME").default(hostName()),
    usual("--metrics-address <HOST:PORT>", ":8080", "where /metrics, /healthz and /readyz are served"),
    new Option("--health-address <HOST:PORT>", "a second address for the same"),
    new Option(
      "--debug-address <HOST:PORT>",
      "where heap and CPU snapshots are served; this machine's own only",
    ),
    usual("--requests-per-second <N>", "400", "most requests to the API server a second"),
    usual("--workers <N>", "32", "Nodes that are worked on at one time"),
    usual("--status-interval <TIME>", "3s", "least time between two writes of a pool's status"),
    new Option("--webhook", "also answers the API server's validating webhook"),
    usual("--webhook-address <HOST:PORT>", ":9443", "where it does"),
    new Option("--webhook-certificate <FILE>", "somebody else's (default: one of its own, kept in a Secret)"),
    new Option("--webhook-key <FILE>", "its key"),
    new Option(
      "--serve-group <GROUP>",
      "serves another group's pools as well: nv-ipam.nvidia.com, once its own controller is stopped",
    ),
    usual("--serve-namespace <NAME>", "kube-system", "where they are; nv-ipam's --ippools-namespace"),
    new Option(
      "--serve-lease-namespaces <NAMES>",
      "where else its controller's Lease may be, with commas between them; nv-ipam's --leader-elect-namespace",
    ),
    new Option("--log-level <LEVEL>", "the least important that is written")
      .choices(logLevels)
      .default("info"),
  ];
}
