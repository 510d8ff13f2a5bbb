import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { runCommandLine } from "../../src/agent/command-line.ts";
import type { AgentConfig } from "../../src/agent/config.ts";
import { checkout, helm, kubectl, whatLacks } from "../parts/tools.ts";
import { openChart, renderKustomization } from "./parts/render.ts";

type Container = {
  name: string;
  image: string;
  args: string[];
  volumeMounts: { name: string; mountPath: string }[];
};
type PodSpec = {
  containers: Container[];
  initContainers?: Container[];
  volumes: { name: string; hostPath?: { path: string } }[];
};
type Manifest = {
  kind: string;
  metadata: { name: string };
  spec: { template: { spec: PodSpec } };
};

const ways = [
  "base",
  "overlays/primary",
  "overlays/multus",
  "overlays/prometheus",
  "overlays/openshift",
  "overlays/uninstall",
];
const lackOfKubectl = whatLacks(kubectl());
const lackOfHelm = whatLacks(kubectl(), helm());

const kustomize = (way: string) => renderKustomization<Manifest>(`agent/${way}`);

function podOf(manifests: Manifest[]): PodSpec {
  const set = manifests.find(({ kind }) => kind === "DaemonSet");
  if (!set) throw new Error("there is no DaemonSet");
  return set.spec.template.spec;
}

/** The configuration that a container's arguments come to. */
async function configOf({ args }: Container): Promise<AgentConfig & { command: string }> {
  const found: (AgentConfig & { command: string })[] = [];
  const note = (command: string) => async (config: AgentConfig) => found.push({ ...config, command });
  const commands = { run: note("run"), install: note("install"), uninstall: note("uninstall") };
  await runCommandLine([...args, "--node-name=node-a"], commands, () => {});
  expect(found).toHaveLength(1);
  return found[0] as AgentConfig & { command: string };
}

describe.skipIf(lackOfKubectl.some)(`the agent's manifests${lackOfKubectl.words}`, () => {
  it.each(ways)("%s gives the agent arguments that it takes, and the folders that they name", async (way) => {
    const pod = podOf(await kustomize(way));
    const containers = [...(pod.initContainers ?? []), ...pod.containers];
    expect(containers).toHaveLength(way.endsWith("uninstall") ? 2 : 1);
    for (const container of containers) {
      const config = await configOf(container);
      expect(config.command).toBe(way.endsWith("uninstall") ? "uninstall" : "run");
      expect(config.hostRoot).toBe("");
      const folders = [config.cniBinDir, config.cniConfDir, config.runDir, ...config.dataDirs];
      for (const path of folders) expect(mountOver(pod, container, path), path).toBe(path);
    }
  });

  it("asks of a node what the docs list, and nothing else", async () => {
    const { volumes, containers, ...pod } = podOf(await kustomize("base"));
    const { image, args, env, resources, volumeMounts, name, ...container } = containers[0] as Container &
      Record<string, unknown>;
    expect({ pod, container, folders: volumes.map(({ hostPath }) => hostPath?.path) }).toMatchSnapshot();
  });

  it("is of this version", async () => {
    const { version } = parse(await readText("package.json")) as { version: string };
    expect(podOf(await kustomize("base")).containers[0]?.image).toBe(`kube-node-ipam:${version}`);
    expect(parse(await readText("examples/helm/kube-node/Chart.yaml"))).toMatchObject({
      version,
      appVersion: version,
    });
  });
});

describe.skipIf(lackOfHelm.some)(`the Helm chart${lackOfHelm.words}`, () => {
  const template = openChart<Manifest>();

  it.each([
    ["base", {}],
    ["overlays/multus", { multus: true }],
    ["overlays/uninstall", { uninstall: true, maxUnavailable: "100%" }],
    [
      "overlays/openshift",
      { openshift: true, cniBinDir: "/var/lib/cni/bin", cniConfDir: "/etc/kubernetes/cni/net.d" },
    ],
  ])("makes what %s makes", async (way, values) => {
    const wanted = (await kustomize(way)).filter(({ kind }) => kind !== "Namespace");
    expect(sorted(await template(values))).toEqual(sorted(wanted));
  });

  it("makes the PodMonitor that examples/monitoring has", async () => {
    const made = await template({ metrics: { address: ":9465", podMonitor: true } });
    const monitor = await kustomize("overlays/prometheus");
    for (const kind of ["PodMonitor", "DaemonSet"])
      expect(made.find((one) => one.kind === kind)).toEqual(monitor.find((one) => one.kind === kind));
  });

  it("gives the agent what the values say", async () => {
    const cniConfig = '{"cniVersion": "1.0.0", "name": "net", "plugins": []}';
    const manifests = await template({
      dataDirs: ["/run/leases", "/var/lib/cni/networks"],
      criSocket: "/run/containerd/containerd.sock",
      cniConfig,
      gracePeriod: "5m",
      leakInterval: "1h30m",
      logLevel: "debug",
      dryRun: true,
      nvIpam: true,
      metrics: { address: "[::1]:9000" },
    });
    const pod = podOf(manifests);
    const [container] = pod.containers as [Container];
    expect(await configOf(container)).toMatchObject({
      dataDirs: ["/run/leases", "/var/lib/cni/networks"],
      criSocket: "/run/containerd/containerd.sock",
      cniConfig: "/etc/kube-node/10-kube-node.conflist",
      graceMs: 5 * 60_000,
      leakIntervalMs: 90 * 60_000,
      logLevel: "debug",
      dryRun: true,
      nvIpam: true,
      metricsAddress: { host: "::1", port: 9000 },
    });
    for (const path of ["/run/leases", "/var/lib/cni/networks", "/run/containerd/containerd.sock"])
      expect(mountOver(pod, container, path)).toBe(path);
    expect(container).toMatchObject({ livenessProbe: { httpGet: { host: "::1", port: 9000 } } });
    const map = manifests.find(({ kind }) => kind === "ConfigMap") as unknown as {
      data: Record<string, string>;
    };
    expect(map.data["10-kube-node.conflist"]?.trim()).toBe(cniConfig);
  });

  it.each([
    [{ cniBinDir: "opt/cni/bin" }, "/cniBinDir"],
    [{ gracePeriod: "soon" }, "/gracePeriod"],
    [{ logLevel: "loud" }, "/logLevel"],
    [{ metrics: { address: "9465" } }, "/metrics/address"],
    [{ dataDir: ["/x"] }, "dataDir"],
    [{ dryRun: "perhaps" }, "/dryRun"],
    [{ maxUnavailable: 0 }, "/maxUnavailable"],
  ])("refuses %j", async (values, words) => {
    await expect(template(values)).rejects.toThrow(words);
  });
});

/** Where the host has what stands at `path` in the container; undefined where that isn't the host's. */
function mountOver({ volumes }: PodSpec, { volumeMounts }: Container, path: string): string | undefined {
  const mount = volumeMounts
    .filter(({ mountPath }) => path === mountPath || path.startsWith(`${mountPath}/`))
    .sort((a, b) => b.mountPath.length - a.mountPath.length)[0];
  const volume = volumes.find(({ name }) => name === mount?.name);
  return mount && volume?.hostPath && `${volume.hostPath.path}${path.slice(mount.mountPath.length)}`;
}

function sorted(manifests: Manifest[]): Manifest[] {
  const key = ({ kind, metadata }: Manifest) => `${kind} ${metadata.name} ${JSON.stringify(metadata)}`;
  return manifests.toSorted((a, b) => key(a).localeCompare(key(b)));
}

async function readText(path: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  return await readFile(join(checkout, path), "utf8");
}
