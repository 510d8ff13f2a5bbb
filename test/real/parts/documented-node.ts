import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { machineIDs } from "../../../src/host/machine.ts";
import * as net from "../../parts/namespace.ts";
import { executables } from "../../parts/plugin.ts";
import { hostLocals } from "../../parts/tools.ts";
import { type NodeNamespace, startNodeNamespace } from "./node-namespace.ts";
import { withMounts } from "./private-mounts.ts";

/** A node as an administrator finds it, for the documents: everything is in its usual place, in mounts of its own. */
export type DocumentedNode = {
  /** Runs a line as a shell on the node would; what it prints, standard error included, with its exit code. */
  type(line: string): Promise<{ text: string; exitCode: number | undefined }>;
  close(): Promise<void>;
};

const annotation = "example.com/net1";

/** The network net1: a bridge on the ranges of the annotation; namespace db has IPv4, the others IPv6 alone. */
const list = {
  cniVersion: "1.0.0",
  name: "net1",
  plugins: [
    {
      type: "bridge",
      bridge: "br-net1",
      isDefaultGateway: true,
      ipam: { type: "kube-node", annotation, "ipv4-namespaces": ["db"] },
    },
    { type: "portmap", capabilities: { portMappings: true } },
  ],
};

/** Node worker-1 with two pods, db/mysql-0 and web/nginx, on an API server of its own. */
export async function startDocumentedNode(): Promise<DocumentedNode> {
  const machine = await startNodeNamespace();
  const folder = mkdtempSync(join(tmpdir(), "documented-"));
  const pods = [net.makeNamespace("mysql"), net.makeNamespace("nginx")] as const;
  await machine.server.createNode({
    name: "worker-1",
    machineID: machineIDs()[0] ?? "",
    podCIDRs: ["10.244.1.0/24"],
    annotations: { [annotation]: "172.20.1.0/24,fd00:2:1::/64" },
  });
  await furnish(machine, folder);
  const shell = shellOn(machine, folder);
  await addPod(shell, pods[0], "db", "mysql-0");
  await addPod(shell, pods[1], "web", "nginx");
  return {
    type: async (line) => {
      const { all = "", exitCode } = await shell(line, {});
      const text = all
        .replaceAll(machine.server.url, "https://10.0.0.1:6443")
        .replaceAll(pods[0].name, "mysql")
        .replaceAll(pods[1].name, "nginx");
      return { text: text.trimEnd(), exitCode };
    },
    close: async () => {
      await machine.close();
      net.removeNamespaces([...pods]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** /etc, /opt and /var/lib/cni of the node. */
async function furnish(machine: NodeNamespace, folder: string): Promise<void> {
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  for (const path of ["lib-cni", "opt/cni/bin"]) mkdirSync(join(folder, path), { recursive: true });
  write("etc/machine-id", `${machineIDs()[0] ?? ""}\n`);
  write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
  write("etc/cni/net.d/10-net1.conflist", `${JSON.stringify(list, null, 2)}\n`);
  write(
    "etc/kubernetes/kubelet.conf",
    await machine.server.kubeconfigFor({ kind: "kubelet", node: "worker-1" }),
  );
  const [hostLocal] = hostLocals();
  const bin = join(folder, "opt/cni/bin");
  for (const name of readdirSync(hostLocal?.folder ?? ""))
    copyFileSync(join(hostLocal?.folder ?? "", name), join(bin, name));
  const [kubeNode = ""] = executables()[0]?.command("kube-node") ?? [];
  copyFileSync(kubeNode, join(bin, "kube-node"));
}

type Shell = (
  line: string,
  env: Record<string, string>,
) => Promise<{ all?: string; exitCode?: number | undefined }>;

function shellOn({ node }: NodeNamespace, folder: string): Shell {
  const places = {
    "/etc": join(folder, "etc"),
    "/opt": join(folder, "opt"),
    "/var/lib/cni": join(folder, "lib-cni"),
  };
  return async (line, env) => {
    const [file = "", ...words] = net.inside(node, withMounts(places, ["sh", "-c", line]));
    const path = `/opt/cni/bin:${process.env["PATH"]}`;
    return await execa(file, words, {
      env: { PATH: path, ...env },
      extendEnv: false,
      all: true,
      reject: false,
    });
  };
}

/** As a runtime would: the main plugin's ADD, on the pod's namespace. */
async function addPod(shell: Shell, pod: net.Namespace, namespace: string, name: string): Promise<void> {
  const config = { cniVersion: list.cniVersion, name: list.name, ...list.plugins[0] };
  const line = `echo '${JSON.stringify(config)}' | /opt/cni/bin/bridge`;
  const { exitCode, all } = await shell(line, {
    CNI_COMMAND: "ADD",
    CNI_CONTAINERID: createHash("sha256").update(name).digest("hex"),
    CNI_NETNS: pod.path,
    CNI_IFNAME: "eth0",
    CNI_PATH: "/opt/cni/bin",
    CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${name}`,
  });
  if (exitCode !== 0) throw new Error(`the pod ${namespace}/${name} got no address: ${all}`);
}
