import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { options, runCommandLine } from "../../src/controller/command-line.ts";
import type { ControllerConfig } from "../../src/controller/config.ts";
import { checkout, helm, kubectl, whatLacks } from "../parts/tools.ts";
import { openChart, renderKustomization } from "./parts/render.ts";

type Port = { name: string; containerPort: number };
type Container = {
  image: string;
  command: string[];
  args: string[];
  ports: Port[];
  env: { name: string }[];
  livenessProbe: { httpGet: { path: string; port: string } };
  readinessProbe: { httpGet: { path: string; port: string } };
  volumeMounts?: { mountPath: string }[];
};
type Manifest = {
  kind: string;
  metadata: { name: string; namespace?: string; annotations?: Record<string, string> };
  spec: { replicas: number; template: { spec: { containers: [Container]; volumes?: unknown } } };
};

type Labels = Record<string, string>;
type Term = { podAffinityTerm: { topologyKey: string } };
type Replicated = {
  replicas: number;
  template: {
    metadata: { labels: Labels };
    spec: { affinity?: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: Term[] } } };
  };
};
type Budget = { maxUnavailable: number; selector: { matchLabels: Labels } };

const folder = join(checkout, "examples/controller");
const ways = [
  "base",
  "overlays/no-webhook",
  "overlays/own-certificate",
  "overlays/cert-manager",
  "overlays/openshift",
  "overlays/host-network",
  "overlays/serve-nv-ipam",
];
const lackOfKubectl = whatLacks(kubectl());
const lackOfHelm = whatLacks(kubectl(), helm());

const kustomize = (way: string) => renderKustomization<Manifest>(`controller/${way}`);

function deploymentOf(manifests: Manifest[]): Manifest {
  const found = manifests.find(({ kind }) => kind === "Deployment");
  if (!found) throw new Error("there is no Deployment");
  return found;
}

const containerOf = (manifests: Manifest[]) => deploymentOf(manifests).spec.template.spec.containers[0];

/** The configuration that a container's arguments come to. */
async function configOf({ args }: Container): Promise<ControllerConfig> {
  const found: ControllerConfig[] = [];
  const run = async (config: ControllerConfig) => found.push(config);
  await runCommandLine(args, run, () => {});
  expect(found).toHaveLength(1);
  return found[0] as ControllerConfig;
}

describe.skipIf(lackOfKubectl.some)(`the controller's manifests${lackOfKubectl.words}`, () => {
  it.each(ways)(
    "%s gives the controller arguments that it takes, and probes where it answers",
    async (way) => {
      const container = containerOf(await kustomize(way));
      const config = await configOf(container);
      expect(container.command).toEqual(["/usr/local/bin/kube-node-controller"]);
      const port = (name: string) => container.ports.find((one) => one.name === name)?.containerPort;
      expect(config.metricsAddress.port).toBe(port("metrics"));
      expect(config.healthAddress?.port).toBe(port("health"));
      expect(container.livenessProbe.httpGet).toEqual({ path: "/healthz", port: "health" });
      expect(container.readinessProbe.httpGet).toEqual({ path: "/readyz", port: "health" });
      expect(container.env.map(({ name }) => name)).toEqual([
        "POD_NAME",
        "POD_NAMESPACE",
        "BUN_JSC_forceRAMSize",
      ]);
      const isWebhook = /certificate|cert-manager/.test(way);
      expect(config.webhook).toBe(isWebhook);
      expect(config.webhookAddress.port).toBe(9443);
      expect(config.webhookFiles !== undefined).toBe(way.endsWith("cert-manager"));
      expect(port("webhook")).toBe(isWebhook ? 9443 : undefined);
    },
  );

  it("asks of a node nothing, and runs as nobody with a root that it can't write", async () => {
    const { containers, ...pod } = deploymentOf(await kustomize("base")).spec.template.spec;
    const { image, args, env, resources, ...container } = containers[0] as Container & { resources: object };
    expect({ pod, container }).toMatchSnapshot();
  });

  it.each(ways)(
    "%s runs two, of which one may be away at a time, on different nodes where that can be",
    async (way) => {
      const made = await kustomize(way);
      const deployment = deploymentOf(made) as Manifest & { spec: Replicated };
      expect(deployment.spec.replicas).toBe(2);
      const budget = made.find(({ kind }) => kind === "PodDisruptionBudget") as unknown as { spec: Budget };
      expect(budget.spec.maxUnavailable).toBe(1);
      const { labels } = deployment.spec.template.metadata;
      expect(labels).toMatchObject(budget.spec.selector.matchLabels);
      const terms =
        deployment.spec.template.spec.affinity?.podAntiAffinity
          .preferredDuringSchedulingIgnoredDuringExecution;
      expect(terms?.map(({ podAffinityTerm }) => podAffinityTerm.topologyKey)).toEqual([
        "kubernetes.io/hostname",
      ]);
    },
  );

  it("is of this version, beside an agent in the same namespace", async () => {
    const { version } = parse(readFileSync(join(checkout, "package.json"), "utf8")) as { version: string };
    expect(containerOf(await kustomize("base")).image).toBe(`kube-node-ipam:${version}`);
    const namespace = (whose: string) =>
      readFileSync(join(checkout, "examples", whose, "base/namespace.yaml"), "utf8");
    expect(namespace("controller")).toBe(namespace("agent"));
  });

  it("is told of in docs/controller.md: each flag, and each overlay", async () => {
    const page = readFileSync(join(checkout, "docs/controller.md"), "utf8");
    const flags = options().map(({ long }) => String(long));
    expect(flags.length).toBeGreaterThan(14);
    for (const flag of flags) expect(page).toContain(`\`${flag}\``);
    for (const overlay of readdirSync(join(folder, "overlays")))
      expect(page).toContain(`\`overlays/${overlay}\``);
  });

  it("no-webhook is what base is", async () => {
    expect(await kustomize("overlays/no-webhook")).toEqual(await kustomize("base"));
  });
});

describe.skipIf(lackOfHelm.some)(`the controller in the Helm chart${lackOfHelm.words}`, () => {
  const template = openChart<Manifest>();

  it.each([
    ["base", { controller: { enabled: true } }],
    ["overlays/own-certificate", { controller: { enabled: true, webhook: "own-certificate" } }],
    ["overlays/cert-manager", { controller: { enabled: true, webhook: "cert-manager" } }],
    ["overlays/serve-nv-ipam", { controller: { enabled: true, serveNvIpam: true } }],
    ["overlays/host-network", { controller: { enabled: true, hostNetwork: true } }],
  ])("makes what %s makes, and keeps the CustomResourceDefinitions", async (way, values) => {
    const wanted = (await kustomize(way)).filter(({ kind }) => kind !== "Namespace");
    const agents = sorted(await template({})).map(keyOf);
    const made = (await template(values)).filter((one) => !agents.includes(keyOf(one)));
    for (const { kind, metadata } of made)
      if (kind === "CustomResourceDefinition") {
        expect(metadata.annotations).toEqual({ "helm.sh/resource-policy": "keep" });
        delete metadata.annotations;
      }
    expect(sorted(made)).toEqual(sorted(wanted));
  });

  it("makes nothing of it unless it is asked to, and what the values say", async () => {
    expect(JSON.stringify(await template({}))).not.toContain("kube-node-controller");
    const made = await template({
      openshift: true,
      controller: { enabled: true, replicas: 3, logLevel: "debug" },
    });
    expect(deploymentOf(made).spec.replicas).toBe(3);
    expect(await configOf(containerOf(made))).toMatchObject({ logLevel: "debug" });
    const openshift = deploymentOf(await kustomize("overlays/openshift")).spec.template.spec;
    expect(deploymentOf(made).spec.template.spec).toMatchObject({
      securityContext: (openshift as unknown as { securityContext: object }).securityContext,
    });
  });

  it.each([
    [{ controller: { enabled: "perhaps" } }, "/controller/enabled"],
    [{ controller: { replicas: 0 } }, "/controller/replicas"],
    [{ controller: { webhook: "some" } }, "/controller/webhook"],
    [{ controller: { replica: 1 } }, "replica"],
  ])("refuses %j", async (values, words) => {
    await expect(template(values)).rejects.toThrow(words);
  });
});

function keyOf({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata.namespace} ${metadata.name}`;
}

function sorted(manifests: Manifest[]): Manifest[] {
  return manifests.toSorted((a, b) => keyOf(a).localeCompare(keyOf(b)));
}
