import { execa } from "execa";
import { executables } from "../../parts/plugin.ts";

/** `kubectl kube-node rebuild` by the built executable. */
export async function runRebuild(kubeconfig: string, ...words: string[]) {
  const [file = "", ...args] = executables()[0]?.command("kubectl-kube_node") ?? [];
  const env = { KUBECONFIG: kubeconfig, PATH: process.env["PATH"] };
  const options = { env, extendEnv: false, reject: false, stdin: "ignore" } as const;
  const { exitCode, stdout, stderr } = await execa(file, [...args, "rebuild", ...words], options);
  return { exitCode, stdout, stderr };
}
