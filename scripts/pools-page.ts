import { type CustomResourceDefinition, customResourceDefinitions } from "../src/api/custom-resources.ts";
import type { StructuralSchema } from "../src/api/structural-schema.ts";
import type { Validation } from "../src/api/validation.ts";

/** docs/pools.md: each field of each kind, and what the API server says of a wrong one. */
export function formatPoolsPage(): string {
  return `# Pools

\`kube-node-controller\` cuts a pool into blocks, one a Node, and writes them where the plugin reads them: into the Node's annotations.
IPPool and CIDRPool have the spec fields of nv-ipam's kinds of that name, with the same meaning: a manifest moves by writing
\`apiVersion: ipam.kube-node.io/v1alpha1\`. They are cluster-scoped; a namespace in a manifest is dropped. Both kinds may have a pool
of the same name, which is at most 63 characters long.

\`\`\`yaml
apiVersion: ipam.kube-node.io/v1alpha1
kind: IPPool
metadata:
  name: storage
spec:
  subnet: 192.168.0.0/16
  perNodeBlockSize: 128
  gateway: 192.168.0.1
  perNodeReserved: { first: 4 }
  nodeSelector:
    nodeSelectorTerms:
      - matchExpressions:
          - { key: node-role.kubernetes.io/worker, operator: Exists }
\`\`\`

The CustomResourceDefinitions are in [examples/controller/crds](../examples/controller/crds). They need Kubernetes 1.31: their rules use
its functions for addresses. What a rule can't tell (which of two addresses comes first, what other pools have) becomes the
condition \`Ready=False\` of the pool, with a message; nothing that was given is taken back for it. This page and the definitions are made
by \`node scripts/make-crds.ts\` from src/api.

## Pools that overlap

Addresses that pods could get of two pools are the later pool's fault (by creationTimestamp, then by kind and name): it gets \`Ready=False\`,
reason \`Overlap\`, with both names and the addresses, and gives no new blocks until it yields. So does a pool that overlaps with Nodes'
podCIDRs, with Services' addresses (ServiceCIDRs, Kubernetes 1.33), with an annotation that somebody wrote to give a Node ranges, or with blocks
that are left of another pool: those give addresses whatever a pool says. What is excluded overlaps with nothing, so two pools may share a
network by their \`exclusions\`. \`allowOverlap: true\` insists, for networks that never meet. \`kubectl kube-node annotate\` refuses an annotation with
addresses of a pool, \`split\` passes them over, and \`verify\` finds those that are there.

\`kube-node-controller --webhook\` says the same when a pool is applied: whoever asks comes second. It needs no other program: its certificate is made by
itself, kept in a Secret that the replicas share, made anew when two thirds of its 90 days are over, and trusted by the API server by way of
the ValidatingWebhookConfiguration's caBundle; or it is cert-manager's (\`--webhook-certificate\`, \`--webhook-key\`). Where it can't compare in time, the
pool is taken, with a warning: the condition follows.

${customResourceDefinitions().map(formatResource).join("\n")}`;
}

function formatResource({ spec: { names, versions } }: CustomResourceDefinition): string {
  const schema = versions[0]?.schema.openAPIV3Schema as StructuralSchema;
  const { spec, status } = schema.properties as Record<"spec" | "status", StructuralSchema>;
  const rules = rulesOf(schema, "");
  return `## ${names.kind}

${schema.description} Short: ${[names["shortNames"]].flat().join(", ")}.

| Field | Type | |
|---|---|---|
${[...rowsOf(spec, "spec"), ...rowsOf(status, "status")].join("\n")}

What the API server refuses:

${[...new Set(rules)].map((rule) => `- ${rule}`).join("\n")}
`;
}

function rowsOf(schema: StructuralSchema, path: string): string[] {
  const { properties = {}, required = [] } = schema;
  return Object.entries(properties).flatMap(([key, value]) => {
    const must = required.includes(key) ? "" : ", optional";
    const below = value.items?.properties ? value.items : value;
    const own = `${path}.${key}${value.type === "array" ? "[]" : ""}`;
    const row = `| \`${own}\` | ${typeOf(value)}${must} | ${(value.description ?? "").replaceAll("|", "\\|")}${limitsOf(value)} |`;
    return [row, ...rowsOf(below, own)];
  });
}

function typeOf({ type, items, format, ...more }: StructuralSchema): string {
  if (Array.isArray(more["enum"])) return more["enum"].join(", ");
  if (type === "array") return `list of ${items?.properties ? "objects" : `${items?.type}s`}`;
  return format === "date-time" ? "time" : type;
}

function limitsOf(schema: StructuralSchema): string {
  const { minimum, maximum, maxItems } = schema as Record<string, unknown>;
  const parts = [
    ...(minimum === undefined ? [] : [`at least ${minimum}`]),
    ...(maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? [] : [`at most ${maximum}`]),
    ...(maxItems === undefined ? [] : [`at most ${maxItems}`]),
  ];
  return parts.length > 0 ? ` (${parts.join(", ")})` : "";
}

function rulesOf(schema: StructuralSchema, path: string): string[] {
  const own = (schema["x-kubernetes-validations"] ?? []) as Validation[];
  const said = own.map(({ message, fieldPath = "" }) => {
    const where = `${path}${fieldPath}`.replace(/^\./, "");
    return where === "" ? message : `\`${where}\`: ${message}`;
  });
  const below = Object.entries(schema.properties ?? {}).flatMap(([key, value]) =>
    rulesOf(value, `${path}.${key}`),
  );
  return [...said, ...below, ...(schema.items ? rulesOf(schema.items, `${path}[]`) : [])];
}
