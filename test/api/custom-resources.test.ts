import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { expect, it } from "vitest";
import { crdFiles } from "../../scripts/crd-files.ts";
import { customResourceDefinitions } from "../../src/api/custom-resources.ts";
import type { StructuralSchema } from "../../src/api/structural-schema.ts";
import { checkout } from "../parts/tools.ts";

it("what is made of the shapes is as they are (else: node scripts/make-crds.ts)", () => {
  for (const [path, text] of Object.entries(crdFiles()))
    expect(readFileSync(join(checkout, path), "utf8"), `${path}: run node scripts/make-crds.ts`).toBe(text);
  for (const folder of ["examples/controller/crds", "examples/helm/kube-node/files/crds"]) {
    const there = readdirSync(join(checkout, folder)).filter((name) => name !== "kustomization.yaml");
    const made = Object.keys(crdFiles()).filter((path) => dirname(path) === folder);
    expect(there.toSorted()).toEqual(made.map((path) => basename(path)).toSorted());
  }
});

it("each field is described, each text and list has an end", () => {
  for (const { spec } of customResourceDefinitions()) {
    const properties = spec.versions[0]?.schema.openAPIV3Schema.properties;
    for (const part of ["spec", "status"])
      look(properties?.[part] as StructuralSchema, `${spec.names.kind}.${part}`);
  }

  function look(schema: StructuralSchema, path: string): void {
    for (const [key, value] of Object.entries(schema.properties ?? {})) {
      expect(value.description, `${path}.${key}`).toMatch(/[.)]$/);
      look(value, `${path}.${key}`);
    }
    if (schema.items) look(schema.items, `${path}[]`);
    const hasEnd = schema["maxLength"] ?? schema["enum"] ?? schema["maxItems"];
    if (schema.type === "string" || schema.type === "array") expect(hasEnd, path).toBeDefined();
  }
});
