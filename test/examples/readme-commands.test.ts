// The README's commands, taken from it as they stand: kubectl's on a real API server, the node's on a machine of the test.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApiServer } from "../parts/api-server.ts";
import { callPlugin, executables } from "../parts/plugin.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../parts/real-api-server.ts";
import { kubectl, whatLacks } from "../parts/tools.ts";
import { addressesIn, expectSilence } from "../real/parts/answers.ts";
import { installPrograms } from "../real/parts/install.ts";
import { annotationOf } from "../real/parts/pooled-worker.ts";
import { privateMounts, withMounts } from "../real/parts/private-mounts.ts";
import { describeHostLocals } from "../real/parts/subjects.ts";
import { pathOf, pluginsOf } from "./parts/documents.ts";
import { blocksOf, blockWith, linesWith } from "./parts/readme.ts";

const missing = reasonForNoRealApiServer();
const lack = whatLacks(missing ? { missing } : {}, kubectl(), privateMounts());

const folder = mkdtempSync(join(tmpdir(), "readme-"));
const [bin, varLib] = [join(folder, "bin"), join(folder, "lib")];
afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;

const networks = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: network-attachment-definitions.k8s.cni.cncf.io }
spec:
  group: k8s.cni.cncf.io
  scope: Namespaced
  names: { kind: NetworkAttachmentDefinition, plural: network-attachment-definitions, singular: network-attachment-definition }
  versions:
    - { name: v1, served: true, storage: true, schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } } }
`;

describe.skipIf(lack.some)(`the README's commands${lack.words}`, () => {
  let api: ApiServer;

  beforeAll(async () => {
    api = await startRealApiServer();
    const machineID = readFileSync("/etc/machine-id", "utf8").trim();
    await api.createNode({ name: "worker-1", machineID, podCIDRs: ["11.0.1.0/24", "1100:0:0:1::/64"] });
    await api.createNode({ name: "kind-worker" });
    for (const made of [bin, join(varLib, "cni"), join(varLib, "kubelet")])
      mkdirSync(made, { recursive: true });
    const compiled = { executable: executables()[0] as NonNullable<ReturnType<typeof executables>[0]> };
    installPrograms(compiled, bin);
    symlinkSync(kubectl().path as string, join(bin, "kubectl"));
    writeFileSync(join(folder, "admin"), await api.kubeconfigFor({ kind: "admin" }));
    const kubelet = await api.kubeconfigFor({ kind: "kubelet", node: "worker-1" });
    writeFileSync(join(varLib, "kubelet/kubeconfig"), kubelet);
  });
  afterAll(() => api?.close());

  const onNode = (command: string[]) => withMounts({ "/var/lib": varLib }, command);

  /** By sh, as somebody types it who administers the cluster, or as root on the node. */
  async function type(who: "administrator" | "node", text: string, cwd = folder): Promise<string> {
    const command = ["sh", "-e", "-c", text];
    const [file, ...words] = who === "node" ? onNode(command) : command;
    const credentials = who === "node" ? {} : { KUBECONFIG: join(folder, "admin") };
    const env = { PATH: `${bin}:${process.env["PATH"]}`, HOME: folder, ...credentials };
    return (await execa(file as string, words, { env, extendEnv: false, cwd })).stdout;
  }

  it("kubectl get node: the podCIDRs that stand beside it", async () => {
    const [line = ""] = linesWith("kubectl get node");
    expect(await type("administrator", line)).toBe(/# (.*)$/.exec(line)?.[1]);
  });

  const annotate = linesWith("kubectl annotate");
  it.each(annotate)("%s", async (line) => {
    expect(await type("administrator", line)).toMatch(/^node\/\S+ annotated$/);
    const [, node = "", key = ""] = /node (\S+) ([^=]+)=/.exec(line) ?? [];
    expect((await api.getNode(node))?.metadata.annotations).toHaveProperty([key]);
  });

  /** Of each command that sets an annotation on worker-1 and each snippet that names it: the addresses it comes to. */
  const expected: Record<string, string[]> = {
    "kube-node.nordix.org/net1": ["172.20.2.2", "fd00::2:0:2"],
    "example.com/ipvlan-ranges": ["172.16.5.2"],
    "spec.podCIDRs": ["11.0.1.2", "1100:0:0:1::2"],
    "storage-v4,storage-v6": ["172.30.1.10", "fd00:30::10"],
  };
  /** What kube-node-controller would have written of the pools that a snippet names. */
  const blocks = [
    { name: "storage-v4", blocks: [{ subnet: "172.30.0.0/16", ranges: ["172.30.1.10-172.30.1.19"] }] },
    { name: "storage-v6", blocks: [{ subnet: "fd00:30::/64", ranges: ["fd00:30::10-fd00:30::1f"] }] },
  ];
  const snippets = blocksOf("json").map((block) => JSON.parse(`{${block}}`).ipam as Record<string, unknown>);

  it("has them for each snippet, and snippets for both plugins", () => {
    const keys = snippets.map(keyOf);
    expect(new Set(keys)).toEqual(new Set(Object.keys(expected)));
    expect(new Set(snippets.map(({ type }) => type))).toEqual(new Set(["kube-node", "node-annotation"]));
    expect(annotate.join("\n")).toContain(`='"ranges": `);
  });

  describeHostLocals("then", ({ hostLocal }) => {
    const cases = snippets.flatMap((ipam) => {
      const key = keyOf(ipam);
      const lines = annotate.filter((line) => line.includes(`node worker-1 ${key}=`));
      return (lines.length > 0 ? lines : [""]).map((line) => ({
        snippet: JSON.stringify(ipam),
        ipam,
        key,
        line,
      }));
    });
    it.each(cases)("$line, ADD and DEL with ipam $snippet", async ({ ipam, key, line }) => {
      if (line !== "")
        await type("administrator", line.replace("annotate node", "annotate --overwrite node"));
      const uid = (await api.getNode("worker-1"))?.metadata.uid ?? "";
      for (const block of "pool" in ipam ? blocks : [])
        await api.setAnnotation("worker-1", ...annotationOf(block, uid));
      symlinkHostLocal(hostLocal.path);
      const call = {
        command: onNode([join(bin, ipam["type"] as string)]),
        path: hostLocal.folder,
        containerID: "c1",
        ifname: "net1",
        netns: "/var/run/netns/none",
        args: "IgnoreUnknown=1;K8S_POD_NAMESPACE=old-application",
        stdin: { cniVersion: "1.0.0", name: `readme-${++count}`, type: "macvlan", ipam },
      };
      expect(addressesIn(await callPlugin({ ...call, verb: "ADD" }))).toEqual(expected[key]);
      expectSilence(await callPlugin({ ...call, verb: "DEL" }));
    });
  });

  it("node-annotation is tried out", async () => {
    const [bare = ""] = annotate.filter(
      (line) => line.includes("ipvlan-ranges=") && !line.includes("--overwrite"),
    );
    await type("administrator", bare.replace("annotate", "annotate --overwrite"));
    const lines = blockWith(">try.conf").trim().split("\n");
    const outputs: string[] = [];
    for (const line of lines) outputs.push(await type("node", line));
    const [, , tried = "", annotation, node = ""] = outputs;
    expect(lines).toHaveLength(5);
    expect(JSON.parse(tried)).toEqual({
      name: "mynet",
      ipam: { type: "cat", ranges: [[{ subnet: "172.16.5.0/24" }]] },
    });
    expect(annotation).toBe('ranges: [[{subnet: "172.16.5.0/24"}]]');
    expect(JSON.parse(node)).toMatchObject({ kind: "Node", metadata: { name: "worker-1" } });
  });

  it("kind: the loop puts both programs on each node, one a link to the other", async () => {
    const work = join(folder, "kind");
    mkdirSync(join(work, "_output"), { recursive: true });
    symlinkSync(join(bin, "kube-node"), join(work, "_output/kube-node"));
    writeFileSync(join(work, "macvlan"), "#!/bin/sh\n");
    const nodes = ["kind-control-plane", "kind-worker"];
    putStandIns(work, nodes);
    await type("administrator", blockWith("docker cp"), work);
    for (const node of nodes) {
      const there = join(work, node, "opt/cni/bin");
      expect(readFileSync(join(there, "macvlan"), "utf8")).toBe("#!/bin/sh\n");
      const inside = withMounts({ "/opt/cni": dirname(there) }, [
        "/opt/cni/bin/node-annotation",
        "--version",
      ]);
      expect((await callPlugin({ command: inside })).stdout).toMatch(/^node-annotation \S/);
    }
  });

  it("kind: the network that the API server takes is the example's, with kind's kubeconfig", async () => {
    await type(
      "administrator",
      `kubectl apply -f - <<'END'\n${networks}END\nkubectl wait --for=condition=established crd --all`,
    );
    const block = blockWith("kubelet.conf#").replace("annotate", "annotate --overwrite");
    const applied = await type("administrator", block, join(pathOf("."), ".."));
    expect(applied).toContain("networkattachmentdefinition.k8s.cni.cncf.io/net1 created");
    const shown = await type(
      "administrator",
      "kubectl get network-attachment-definition net1 -o jsonpath='{.spec.config}'",
    );
    const [example] = pluginsOf("secondary/network-attachment-definition.yaml");
    const kubeconfig = "/etc/kubernetes/kubelet.conf";
    expect(JSON.parse(shown)).toEqual({ ...example, ipam: { ...example?.ipam, kubeconfig } });
  });
});

/** node-annotation looks for host-local beside itself first. */
function symlinkHostLocal(path: string): void {
  rmSync(join(bin, "host-local"), { force: true });
  symlinkSync(path, join(bin, "host-local"));
}

/** `kind get nodes`, and a docker whose containers are folders. */
function putStandIns(work: string, nodes: string[]): void {
  for (const node of nodes) mkdirSync(join(work, node, "opt/cni/bin"), { recursive: true });
  const command = withMounts({ "/opt/cni": `${work}/NODE/opt/cni` }, []);
  const words = command
    .map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
    .join(" ")
    .replaceAll("NODE", `'"$node"'`);
  const docker = `#!/bin/sh -e
verb=$1; shift
case $verb in
  cp) cp "$1" "${work}/\${2%%:*}\${2#*:}" ;;
  exec) node=$1; shift; exec ${words} "$@" ;;
esac
`;
  const scripts = { kind: `#!/bin/sh\nprintf '%s\\n' ${nodes.join(" ")}\n`, docker };
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), script);
    chmodSync(join(bin, name), 0o755);
  }
}

function keyOf({ annotation, pool }: Record<string, unknown>): string {
  return String(annotation ?? pool ?? "spec.podCIDRs");
}
