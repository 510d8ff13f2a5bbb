// The controller's overlays on a real API server: each object is accepted with strict validation of its fields. With cert-manager's, whose
// part is played here, the webhook serves its certificate and no right to a Secret is needed.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { makeCertificate } from "../../src/webhook/certificate.ts";
import { type Controller, startController } from "../controller/parts/controller.ts";
import * as definitions from "../parts/others-definitions.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { checkout, kubectl, whatLacks } from "../parts/tools.ts";
import { askWebhook, poolOf } from "./parts/ask-webhook.ts";
import { type Court, openCourt, waitFor } from "./parts/rights.ts";

const missing = reasonForNoRealApiServer();
const lack = whatLacks(missing ? { missing } : {}, kubectl());
const overlay = (name: string) => join(checkout, "examples/controller", name);

describe.skipIf(lack.some)(`the controller's overlays on a real API server${lack.words}`, () => {
  let court: Court;
  const folder = mkdtempSync(join(tmpdir(), "cert-manager-"));

  beforeAll(async () => {
    court = await openCourt();
    for (const definition of Object.values(definitions))
      await court.kube("admin", ["create", "-f", "-"], definition);
    await court.kube("admin", ["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]);
    await court.kube("admin", ["apply", "-f", overlay("base/namespace.yaml")]);
  }, 90_000);
  afterAll(async () => {
    await court?.close();
    rmSync(folder, { recursive: true });
  });

  it.each([
    ["base", "PodDisruptionBudget"],
    ["overlays/no-webhook", "Deployment"],
    ["overlays/own-certificate", "ValidatingWebhookConfiguration"],
    ["overlays/cert-manager", "Certificate"],
    ["overlays/prometheus", "PrometheusRule"],
    ["overlays/host-network", "Deployment"],
    ["overlays/serve-nv-ipam", "ClusterRole"],
    ["overlays/openshift", "Deployment"],
  ])("%s is accepted, object by object, a %s among them", async (way, kind) => {
    const wanted = parseAllDocuments(await court.kube("admin", ["kustomize", overlay(way)])).map(
      (one) => one.toJS() as { kind: string },
    );
    expect(wanted.map((one) => one.kind)).toContain(kind);
    const strictly = ["apply", "--server-side", "--force-conflicts", "--validate=strict"];
    const applied = (await court.kube("admin", [...strictly, "-k", overlay(way)])).trim().split("\n");
    expect(applied.map((line) => line.split(/[./]/)[0]).sort()).toEqual(
      wanted.map((one) => one.kind.toLowerCase()).sort(),
    );
  });

  describe("with cert-manager's certificate", () => {
    let controller: Controller;
    afterAll(() => controller?.stop());

    const get = async <T>(...words: string[]) =>
      JSON.parse(await court.kube("admin", ["get", ...words, "--namespace=kube-node", "-o", "json"])) as T;
    type Certificate = { spec: { secretName: string; dnsNames: string[] } };
    type Deployment = { spec: { template: { spec: PodSpec } } };
    type PodSpec = {
      containers: [{ args: string[]; volumeMounts: { name: string; mountPath: string }[] }];
      volumes: { name: string; secret: { secretName: string } }[];
    };

    /** What cert-manager puts into the Secret, and a kubelet into the pod. */
    async function issue(dns: string[]): Promise<string> {
      const { certificate, key } = await makeCertificate({ dns, ips: [] }, new Date(), 60 * 60_000);
      writeFileSync(join(folder, "tls.crt"), certificate);
      writeFileSync(join(folder, "tls.key"), key);
      return certificate;
    }

    it("serves what is in the Secret that the Certificate names, and what that is renewed to", async () => {
      await court.kube("admin", ["apply", "-k", overlay("overlays/cert-manager")]);
      const { spec } = await get<Certificate>("certificate", "kube-node-webhook");
      const configuration = await get<{ metadata: { annotations: Record<string, string> } }>(
        "validatingwebhookconfiguration",
        "kube-node-pools",
      );
      expect(configuration.metadata.annotations["cert-manager.io/inject-ca-from"]).toBe(
        "kube-node/kube-node-webhook",
      );
      const pod = (await get<Deployment>("deployment", "kube-node-controller")).spec.template.spec;
      const [{ args, volumeMounts }] = pod.containers;
      const volume = pod.volumes.find(({ secret }) => secret.secretName === spec.secretName);
      const mount = volumeMounts.find(({ name }) => name === volume?.name)?.mountPath ?? "nowhere";
      const own = args.filter((one) => one.startsWith("--webhook")).map((one) => one.replace(mount, folder));
      expect(own).toEqual([
        ...["--webhook", "--webhook-address=:9443"],
        `--webhook-certificate=${folder}/tls.crt`,
        `--webhook-key=${folder}/tls.key`,
      ]);
      const first = await issue(spec.dnsNames);
      await court.logIn("controller", "kube-node-controller");
      controller = startController({
        kubeconfig: court.kubeconfigOf("controller"),
        env: { POD_NAME: "one", POD_NAMESPACE: "kube-node" },
        args: [...own, "--webhook-address=127.0.0.1:0"],
      });
      const { port } = await controller.said("the webhook answers", 60_000);
      const ask = (authority: string, subnet: string) =>
        askWebhook(Number(port), authority, poolOf("b", subnet));
      await court.kube("admin", ["create", "-f", "-"], poolOf("a", "10.1.0.0/24"));
      await waitFor(async () => {
        const refused = await ask(first, "10.1.0.128/25");
        expect(refused.status?.message).toContain("are also of IPPool a");
      });
      expect(await ask(first, "10.2.0.0/24")).toMatchObject({ allowed: true });

      const second = await issue(spec.dnsNames);
      await waitFor(async () => expect(await ask(second, "10.2.0.0/24")).toMatchObject({ allowed: true }));
      await expect(ask(first, "10.2.0.0/24")).rejects.toThrow();
      expect(await court.outcome("controller", ["get", "secrets", "--namespace=kube-node"])).toMatch(
        /forbidden/i,
      );
    }, 90_000);
  });
});
