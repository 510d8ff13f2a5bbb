import { nodeBlockShapes } from "./node-block.ts";
import type { PoolKind } from "./pool-kind.ts";
import { poolGroup, poolVersion } from "./pool-names.ts";
import { poolSpecShapes } from "./pool-shape.ts";
import { poolStatusShape } from "./pool-status.ts";
import { poolValidations } from "./pool-validations.ts";
import { type StructuralSchema, structuralSchema } from "./structural-schema.ts";
import type { Validation } from "./validation.ts";

/** apiextensions.k8s.io/v1 CustomResourceDefinition, as far as ours go. */
export type CustomResourceDefinition = {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  spec: {
    group: string;
    scope: string;
    names: { kind: string; plural: string; singular: string; listKind: string } & Record<
      string,
      string | string[]
    >;
    versions: { name: string; schema: { openAPIV3Schema: StructuralSchema }; [more: string]: unknown }[];
  };
};

type Column = { name: string; type: string; jsonPath: string; description?: string; priority?: number };
type Resource = {
  kind: string;
  shortNames: string[];
  description: string;
  spec: StructuralSchema;
  status: StructuralSchema;
  rules: Validation[];
  columns: Column[];
  selectableFields?: string[];
};

/** IPPool, CIDRPool and NodeBlock, made of their shapes. */
export function customResourceDefinitions(): CustomResourceDefinition[] {
  return [
    pool("IPPool", ["ipp"], "One network for all nodes: each gets a block of its addresses.", [
      column("Subnet", ".spec.subnet"),
      column("Block Size", ".spec.perNodeBlockSize", "integer"),
    ]),
    pool("CIDRPool", ["cidrp"], "A network that is cut into one network a node.", [
      column("CIDR", ".spec.cidr"),
      column("Prefix", ".spec.perNodeNetworkPrefix", "integer"),
    ]),
    define({
      kind: "NodeBlock",
      shortNames: ["nblk"],
      description: "One place on a pool's grid, claimed for one Node by being created.",
      spec: structuralSchema(nodeBlockShapes.spec),
      status: structuralSchema(nodeBlockShapes.status),
      rules: [
        {
          rule: "self.metadata.name == (self.spec.pool.kind == 'IPPool' ? 'ippool.' : 'cidrpool.') + self.spec.pool.name + '.' + self.spec.index",
          message:
            "a block's name is what it reserves: expected ippool.POOL.INDEX or cidrpool.POOL.INDEX of its spec",
        },
      ],
      columns: [
        column("Kind", ".spec.pool.kind"),
        column("Pool", ".spec.pool.name"),
        column("Node", ".spec.nodeName"),
        column("First", ".spec.first"),
        column("Last", ".spec.last"),
        column("Used", ".status.used", "integer"),
        column("Closing", ".spec.closing", "boolean"),
      ],
      selectableFields: [".spec.nodeName", ".spec.pool.kind", ".spec.pool.name"],
    }),
  ];
}

function pool(kind: PoolKind, shortNames: string[], description: string, columns: Column[]) {
  return define({
    kind,
    shortNames,
    description,
    spec: structuralSchema(poolSpecShapes[kind]),
    status: structuralSchema(poolStatusShape),
    rules: poolValidations[kind],
    columns: [
      ...columns,
      column("Blocks", ".status.blocks.given", "integer"),
      column("Free Blocks", ".status.blocks.free"),
      column("Used", ".status.addresses.used", "integer"),
      column("Free", ".status.addresses.free"),
      column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
      { ...column("Reason", '.status.conditions[?(@.type=="Ready")].reason'), priority: 1 },
    ],
  });
}

function column(name: string, jsonPath: string, type = "string"): Column {
  return { name, type, jsonPath };
}

function define(resource: Resource): CustomResourceDefinition {
  const { kind, shortNames, description, spec, status, rules, columns, selectableFields } = resource;
  const singular = kind.toLowerCase();
  const plural = `${singular}s`;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${poolGroup}` },
    spec: {
      group: poolGroup,
      scope: "Cluster",
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames, categories: ["kube-node"] },
      versions: [
        {
          name: poolVersion,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [...columns, column("Age", ".metadata.creationTimestamp", "date")],
          ...(selectableFields && { selectableFields: selectableFields.map((jsonPath) => ({ jsonPath })) }),
          schema: {
            openAPIV3Schema: {
              type: "object",
              description,
              properties: {
                apiVersion: { type: "string" },
                kind: { type: "string" },
                metadata: { type: "object" },
                spec,
                status,
              },
              required: ["spec"],
              "x-kubernetes-validations": rules,
            },
          },
        },
      ],
    },
  };
}
