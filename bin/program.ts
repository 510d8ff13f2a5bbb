import { runPlugin, runTryOut } from "../src/plugin/main.ts";

/** Ends the process with the program's exit code: what is still under way by then (an abandoned request) ends with it. */
export async function start(name: string): Promise<never> {
  const [command, ...words] = process.argv.slice(2);
  const plugin = name === "node-annotation" ? name : "kube-node";
  if (command === undefined || (command === "ipam" && plugin === "node-annotation")) {
    if (process.env["CNI_COMMAND"]) process.exit(await runPlugin(plugin, process.env));
    if (plugin === "node-annotation") process.exit(await runTryOut(process.env));
  }
  const { runCommand } = await import("../src/cli/main.ts");
  process.exit(await runCommand(plugin, command, words, process.env));
}
