// Writes examples/controller/crds/*.yaml and docs/pools.md from src/api's shapes: `node scripts/make-crds.ts`. A test holds them together.
import { mkdirSync, writeFileSync } from "node:fs";
import { crdFiles } from "./crd-files.ts";

for (const [path, text] of Object.entries(crdFiles())) {
  const url = new URL(`../${path}`, import.meta.url);
  mkdirSync(new URL(".", url), { recursive: true });
  writeFileSync(url, text);
}
