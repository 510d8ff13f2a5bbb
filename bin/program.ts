import { runPlugin, runTryOut } from "../src/plugin/main.ts";

/** Ends the process with the program's exit code: what is still under way by then (an abandoned request) ends with it. */
export async function start(name: string): Promise<never> {
  const words = process.argv.slice(2);
  if (name.startsWith("kubectl")) {
    const { runKubectl } = await import("../src/kubectl/main.ts");
    process.exit(await runKubectl(name, words, process.env));
  }
  if (name === "kube-node-agent") {
    const { runAgent } = await import("../src/agent/main.ts");
    process.exit(await runAgent(words));
  }
  if (name === "kube-node-controller") {
    const { runController } = await import("../src/controller/main.ts");
    const startWebhook = async () => (await import("../src/webhook/start.ts")).startWebhook;
    process.exit(await runController(words, startWebhook));
  }
  const [command, ...others] = words;
  const plugin = name === "node-annotation" || name === "nv-ipam" ? name : "kube-node";
  if (command === undefined || (command === "ipam" && plugin === "node-annotation")) {
    if (process.env["CNI_COMMAND"]) process.exit(await runPlugin(plugin, process.env));
    if (plugin === "node-annotation") process.exit(await runTryOut(process.env));
  }
  const { runCommand } = await import("../src/cli/main.ts");
  process.exit(await runCommand(plugin, command, others, process.env));
}
