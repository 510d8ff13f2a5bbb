// The agent's overlays for OpenShift, Multus and the Prometheus operator on a real API server, which knows the resources of those
// projects: each object is accepted with strict validation of its fields, and gives the rights that it is there for.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { parseAllDocuments } from "yaml";
import type { ApiServer } from "../parts/api-server.ts";
import { formatKubeconfig } from "../parts/kubeconfig.ts";
import * as definitions from "../parts/others-definitions.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../parts/real-api-server.ts";
import { checkout, helm, kubectl, whatLacks } from "../parts/tools.ts";

const missing = reasonForNoRealApiServer();
const lack = whatLacks(missing ? { missing } : {}, kubectl());
const noHelm = whatLacks(helm());
const networks = "network-attachment-definitions.k8s.cni.cncf.io";
const constraints = "securitycontextconstraints.security.openshift.io";
const account = "system:serviceaccount:kube-node:kube-node-agent";

describe.skipIf(lack.some)(`on a real API server${lack.words}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "agent-overlays-"));
  let api: ApiServer;

  beforeAll(async () => {
    api = await startRealApiServer();
    writeFileSync(join(folder, "admin"), await api.kubeconfigFor({ kind: "admin" }));
    for (const definition of Object.values(definitions)) await kube(["create", "-f", "-"], definition);
    await kube(["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]);
    await kube(["apply", "-f", join(checkout, "examples/agent/base/namespace.yaml")]);
  }, 90_000);
  afterAll(async () => {
    await api?.close();
    rmSync(folder, { recursive: true });
  });

  async function kube(words: string[], input: object | string = "", who = "admin"): Promise<string> {
    const flags = [`--kubeconfig=${join(folder, who)}`, `--cache-dir=${join(folder, "cache")}`];
    const text = typeof input === "string" ? input : JSON.stringify(input);
    return (await execa(kubectl().path ?? "", [...flags, ...words], { input: text })).stdout;
  }
  /** "done", or what was said. */
  const outcome = (words: string[], input?: object | string, who?: string) =>
    kube(words, input, who).then(
      () => "done",
      (error: { stderr: string }) => error.stderr,
    );
  const render = async (path: string) =>
    parseAllDocuments(await kube(["kustomize", path])).map((one) => one.toJS() as { kind: string });
  const strictly = ["apply", "--server-side", "--force-conflicts", "--validate=strict"];

  it.each([
    ["base", "DaemonSet"],
    ["overlays/primary", "ConfigMap"],
    ["overlays/multus", "ClusterRole"],
    ["overlays/prometheus", "PodMonitor"],
    ["overlays/openshift", "SecurityContextConstraints"],
    ["overlays/uninstall", "DaemonSet"],
  ])("%s is accepted, object by object, a %s among them", async (way, kind) => {
    const path = join(checkout, "examples/agent", way);
    const wanted = await render(path);
    expect(wanted.map((one) => one.kind)).toContain(kind);
    const applied = (await kube([...strictly, "-k", path])).split("\n");
    expect(applied.map((line) => line.split(/[./]/)[0]).sort()).toEqual(
      wanted.map((one) => one.kind.toLowerCase()).sort(),
    );
  });

  it.each([
    ["PodMonitor", "overlays/prometheus", "podMetricsEndpoints", "podMetricsEndpoint"],
    ["PrometheusRule", "overlays/prometheus", "annotations", "annotation"],
    ["SecurityContextConstraints", "overlays/openshift", "allowHostPID", "allowHostPid"],
    ["SecurityContextConstraints", "overlays/openshift", "priority", "precedence"],
  ])("that is more than a form: a %s with a misspelt field is refused", async (kind, way, field, wrong) => {
    const path = join(checkout, "examples/agent", way);
    const objects = await render(path);
    const one = JSON.stringify(objects.find((each) => each.kind === kind)).replace(
      `"${field}"`,
      `"${wrong}"`,
    );
    expect(one).toContain(wrong);
    expect(await outcome([...strictly, "-f", "-"], one)).toMatch(new RegExp(`${wrong}|${field}`));
  });

  it.skipIf(noHelm.some)(`the Helm chart with all of it is accepted, too${noHelm.words}`, async () => {
    const values = ["openshift=true", "multus=true", "metrics.podMonitor=true", "metrics.address=:9465"];
    const chart = join(checkout, "examples/helm/kube-node");
    const sets = values.map((value) => `--set=${value}`);
    const env = { HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder };
    const words = ["template", "kube-node", chart, "--namespace=kube-node", "--kube-version=1.34.0", ...sets];
    const { stdout } = await execa(helm().path ?? "", words, { env });
    expect(await outcome([...strictly, "-f", "-"], stdout)).toBe("done");
  });

  describe("the agent", () => {
    beforeAll(async () => {
      await kube([...strictly, "-k", join(checkout, "examples/agent/base")]);
      const token = await kube(["create", "token", "kube-node-agent", "--namespace=kube-node"]);
      const { url, authority } = api;
      writeFileSync(join(folder, "agent"), await formatKubeconfig({ url, authority }, { token }));
    });
    const ask = (words: string[]) => outcome(words, undefined, "agent");

    it("lists networks of all namespaces by the overlay for Multus, and does nothing else with them", async () => {
      await kube(["delete", "clusterrolebinding", "kube-node-agent-networks", "--ignore-not-found"]);
      const refused = () => ask(["get", networks, "-A"]);
      await vi.waitFor(async () => expect(await refused()).toMatch(/forbidden/i), { timeout: 20_000 });
      await kube([...strictly, "-k", join(checkout, "examples/agent/overlays/multus")]);
      await vi.waitFor(async () => expect(await ask(["get", networks, "-A"])).toBe("done"), {
        timeout: 20_000,
      });
      const kind = "NetworkAttachmentDefinition";
      const network = {
        apiVersion: "k8s.cni.cncf.io/v1",
        kind,
        metadata: { name: "a", namespace: "default" },
      };
      await kube(["create", "-f", "-"], network);
      expect(await kube(["get", networks, "-A", "-o", "name"], "", "agent")).toContain("/a");
      for (const words of [
        ["get", networks, "a", "-n", "default"],
        [
          "get",
          "--raw",
          "/apis/k8s.cni.cncf.io/v1/network-attachment-definitions?watch=true&timeoutSeconds=1",
        ],
        ["delete", networks, "a", "-n", "default"],
        ["annotate", networks, "a", "b=c", "-n", "default"],
      ])
        expect(await ask(words), words.join(" ")).toMatch(/forbidden/i);
      expect(await outcome(["create", "-f", "-"], { ...network, metadata: { name: "b" } }, "agent")).toMatch(
        /forbidden/i,
      );
    });

    it("alone may use the constraints of the overlay for OpenShift, and no others", async () => {
      await kube([...strictly, "-k", join(checkout, "examples/agent/overlays/openshift")]);
      const may = async (name: string, who: string) => {
        const words = ["auth", "can-i", "use", `${constraints}/${name}`, "-n", "kube-node", `--as=${who}`];
        return await kube(words).catch((error: { stdout: string }) => error.stdout);
      };
      await vi.waitFor(async () => expect(await may("kube-node-agent", account)).toBe("yes"), {
        timeout: 20_000,
      });
      expect(await may("privileged", account)).toMatch(/^no/);
      for (const other of ["kube-node-plugin", "default"])
        expect(await may("kube-node-agent", `system:serviceaccount:kube-node:${other}`)).toMatch(/^no/);
    });
  });
});
