import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { executables } from "../parts/plugin.ts";
import { runFolder } from "../parts/run-folder.ts";

/** What `cluster env` says: KUBECONFIG, KUBEBUILDER_ASSETS, NODES, and the folders of each node. */
export type ClusterEnvironment = Record<string, string>;

export type OwnCluster = {
  environment: ClusterEnvironment;
  /** The program `cluster` with these words, for this cluster; gives standard output. */
  run(words: string[]): Promise<string>;
  down(): Promise<void>;
};

/** Brings up a cluster whose nodes wait for a CNI configuration. It goes down with this process at the latest. */
export async function bringUp(tools: string, nodes: number): Promise<OwnCluster> {
  const program = join(tools, "cluster");
  // Beside the run's own folder, which may be gone before the cluster is.
  const folder = mkdtempSync(join(dirname(runFolder()), "kn-test-"));
  const guard = guardCluster(program, folder);
  try {
    await execa(program, ["up", "--nodes", String(nodes), "--dir", folder], {
      env: { NODE_NAME: undefined },
    });
    const run = async ([command = "", ...words]: string[]) =>
      (await execa(program, [command, "--dir", folder, ...words], { stdin: "ignore" })).stdout;
    return { environment: readExports(await run(["env"])), run, down: guard.down };
  } catch (error) {
    await guard.down();
    throw error;
  }
}

// A pipe of ours ends with this process, even by SIGKILL.
const takeDown = `
cat >/dev/null
words=$("$0" down --dir "$1" 2>&1) && exec rm -rf "$1"
echo "$words" >&2
exit 1`;

function guardCluster(program: string, folder: string): { down(): Promise<void> } {
  const guard = spawn("sh", ["-c", takeDown, program, folder], {
    stdio: ["pipe", "ignore", "inherit"],
    detached: true,
  });
  const gone = new Promise<void>((resolve, reject) => {
    guard.once("error", reject);
    guard.once("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`cluster down ended with ${code}`)),
    );
  });
  gone.catch(() => {});
  return {
    down: () => {
      guard.stdin?.end();
      return gone;
    },
  };
}

/** `export NAME=VALUE` lines; a value has quotes where a shell wants them. */
function readExports(text: string): ClusterEnvironment {
  const lines = text
    .split("\n")
    .flatMap((line) => [/^export (\w+)='?([^'"]*)'?$/.exec(line)?.slice(1) ?? []]);
  return Object.fromEntries(lines.filter(([name]) => name !== undefined));
}

/** As an administrator installs it: the executable, then the configuration, each in one step. */
export function installOn(node: string, environment: ClusterEnvironment, config: object): void {
  const prefix = node.toUpperCase().replaceAll("-", "_");
  const [bin, conf] = [environment[`${prefix}_CNI_BIN`], environment[`${prefix}_CNI_CONF`]] as [
    string,
    string,
  ];
  copyFileSync(executables()[0]?.command("kube-node")[0] as string, join(bin, "kube-node"));
  writeFileSync(join(conf, ".new"), JSON.stringify(config, null, 2));
  renameSync(join(conf, ".new"), join(conf, "10-kube-node.conflist"));
}

/** Bridge and kube-node with the kubelet's credentials, and nothing that would tell the Node's name. */
export function primaryNetwork(namespacesWithIPv4: string[]): object {
  const ipam = {
    type: "kube-node",
    kubeconfig: "/var/lib/kubelet/kubeconfig",
    "ipv4-namespaces": namespacesWithIPv4,
    routes: [{ dst: "0.0.0.0/0" }, { dst: "::/0" }],
  };
  return {
    cniVersion: "1.0.0",
    name: "k8snet",
    plugins: [
      { type: "bridge", bridge: "cni0", isGateway: true, hairpinMode: true, ipam },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  };
}
