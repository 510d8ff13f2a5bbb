import { type Daemon, startDaemon } from "../../parts/daemon.ts";
import { executables } from "../../parts/plugin.ts";

export type Controller = Daemon & {
  /** The sum of a metric's values whose labels hold these words. */
  metric(name: string, labels?: string): Promise<number>;
};

type Start = { kubeconfig: string; args?: string[]; executable?: number; env?: Record<string, string> };

/** `kube-node-controller`; whoever starts it stops it. */
export function startController({ kubeconfig, args = [], executable = 0, env = {} }: Start): Controller {
  const command = executables()[executable]?.command("kube-node-controller") ?? [];
  const flags = [
    `--kubeconfig=${kubeconfig}`,
    "--metrics-address=127.0.0.1:0",
    "--leader-elect=false",
    "--status-interval=100ms",
    "--log-level=debug",
  ];
  const daemon = startDaemon("controller", [...command, ...flags, ...args], env);
  const end = () => daemon.kill("SIGKILL");
  process.once("exit", end);
  void daemon.exited.then(() => process.off("exit", end));
  return {
    ...daemon,
    metric: async (name, labels = "") => sumOf((await daemon.get("/metrics")).text, name, labels),
  };
}

function sumOf(text: string, name: string, labels: string): number {
  return text
    .split("\n")
    .filter((line) => line.startsWith(`${name} `) || (line.startsWith(`${name}{`) && line.includes(labels)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
