import { stringify } from "yaml";
import { customResourceDefinitions } from "../src/api/custom-resources.ts";
import { formatPoolsPage } from "./pools-page.ts";

/** Where the same files stand for kustomize, and for Helm, which reads nothing outside of its chart. */
const folders = ["examples/controller/crds", "examples/helm/kube-node/files/crds"];

/** What is made of the shapes of pools and blocks, by path. */
export function crdFiles(): Record<string, string> {
  const definitions = customResourceDefinitions().flatMap((definition) => {
    const text = `# Made by scripts/make-crds.ts.\n${stringify(definition, { lineWidth: 0, aliasDuplicateObjects: false })}`;
    return folders.map((folder) => [`${folder}/${definition.spec.names.plural}.yaml`, text]);
  });
  return { ...Object.fromEntries(definitions), "docs/pools.md": formatPoolsPage() };
}
