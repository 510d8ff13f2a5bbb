import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll } from "vitest";
import { parseAllDocuments, stringify } from "yaml";
import { checkout, helm, kubectl } from "../../parts/tools.ts";

/** The objects that kustomize makes of a folder of examples/. */
export async function renderKustomization<Manifest>(folder: string): Promise<Manifest[]> {
  const words = ["kustomize", join(checkout, "examples", folder)];
  return readAll((await execa(kubectl().path ?? "", words)).stdout);
}

/** The objects that the Helm chart makes of values. To be called while tests are described: it has a folder until they are done. */
export function openChart<Manifest>(): (values: object) => Promise<Manifest[]> {
  const work = mkdtempSync(join(tmpdir(), "chart-"));
  afterAll(() => rmSync(work, { recursive: true }));
  return async (values) => {
    const file = join(work, "values.yaml");
    writeFileSync(file, stringify(values));
    // Its own folders: helm would keep a cache at home.
    const env = { HELM_CACHE_HOME: work, HELM_CONFIG_HOME: work, HELM_DATA_HOME: work };
    const chart = join(checkout, "examples/helm/kube-node");
    const where = ["--namespace=kube-node", "--kube-version=1.34.0", "-f", file];
    return readAll(
      (await execa(helm().path ?? "", ["template", "kube-node", chart, ...where], { env })).stdout,
    );
  };
}

function readAll<Manifest>(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}
