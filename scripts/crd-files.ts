import { stringify } from "yaml";
import { customResourceDefinitions } from "../src/api/custom-resources.ts";
import { formatPoolsPage } from "./pools-page.ts";

/** What is made of the shapes of pools and blocks, by path. */
export function crdFiles(): Record<string, string> {
  const definitions = customResourceDefinitions().map((definition) => [
    `examples/controller/crds/${definition.spec.names.plural}.yaml`,
    `# Made by scripts/make-crds.ts.\n${stringify(definition, { lineWidth: 0, aliasDuplicateObjects: false })}`,
  ]);
  return { ...Object.fromEntries(definitions), "docs/pools.md": formatPoolsPage() };
}
