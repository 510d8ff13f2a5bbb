// CustomResourceDefinitions of other projects, as far as examples use them: fields, types and what is required, as published by
// openshift/api (security/v1), prometheus-operator and the network-attachment-definition-client. No field is let through unknown.

type Schema = { type?: string; [key: string]: unknown };

const text: Schema = { type: "string" };
const flag: Schema = { type: "boolean" };
const texts: Schema = { type: "array", items: text, nullable: true };
const map: Schema = { type: "object", additionalProperties: text };
const list = (items: Schema): Schema => ({ type: "array", items });
const object = (properties: Record<string, Schema>, ...required: string[]): Schema => ({
  type: "object",
  properties,
  ...(required.length > 0 && { required }),
});
const duration: Schema = {
  type: "string",
  pattern: "^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$",
};

type Definition = { group: string; plural: string; kind: string; scope?: string; schema: Schema };

function define({ group, plural, kind, scope = "Namespaced", schema }: Definition): object {
  const version = { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `${plural}.${group}`,
      // Asked of whoever defines something in a protected group.
      annotations: { "api-approved.kubernetes.io": "unapproved, a test" },
    },
    spec: { group, scope, names: { plural, kind, singular: kind.toLowerCase() }, versions: [version] },
  };
}

const strategy = object({ type: text });

export const securityContextConstraints = define({
  group: "security.openshift.io",
  plural: "securitycontextconstraints",
  kind: "SecurityContextConstraints",
  scope: "Cluster",
  schema: object(
    {
      allowHostDirVolumePlugin: flag,
      allowHostIPC: flag,
      allowHostNetwork: flag,
      allowHostPID: flag,
      allowHostPorts: flag,
      allowPrivilegeEscalation: { ...flag, nullable: true },
      allowPrivilegedContainer: flag,
      allowedCapabilities: texts,
      defaultAddCapabilities: texts,
      fsGroup: strategy,
      groups: texts,
      priority: { type: "integer", format: "int32", nullable: true },
      readOnlyRootFilesystem: flag,
      requiredDropCapabilities: texts,
      runAsUser: strategy,
      seLinuxContext: object({
        type: text,
        seLinuxOptions: object({ level: text, role: text, type: text, user: text }),
      }),
      seccompProfiles: texts,
      supplementalGroups: strategy,
      users: texts,
      volumes: texts,
    },
    "allowHostDirVolumePlugin",
    "allowHostIPC",
    "allowHostNetwork",
    "allowHostPID",
    "allowHostPorts",
    "allowPrivilegedContainer",
    "allowedCapabilities",
    "defaultAddCapabilities",
    "priority",
    "readOnlyRootFilesystem",
    "requiredDropCapabilities",
    "volumes",
  ),
});

const label: Schema = { type: "string", pattern: "^[a-zA-Z_][a-zA-Z0-9_]*$" };
const relabeling = object({ action: text, regex: text, sourceLabels: list(label), targetLabel: text });
const endpoint = object({ interval: duration, path: text, port: text, relabelings: list(relabeling) });

export const podMonitors = define({
  group: "monitoring.coreos.com",
  plural: "podmonitors",
  kind: "PodMonitor",
  schema: object(
    {
      spec: object(
        { podMetricsEndpoints: list(endpoint), selector: object({ matchLabels: map }) },
        "selector",
      ),
    },
    "spec",
  ),
});

const rule = object(
  {
    alert: text,
    annotations: map,
    expr: { anyOf: [{ type: "integer" }, { type: "string" }], "x-kubernetes-int-or-string": true },
    for: duration,
    labels: map,
    record: text,
  },
  "expr",
);

export const prometheusRules = define({
  group: "monitoring.coreos.com",
  plural: "prometheusrules",
  kind: "PrometheusRule",
  schema: object(
    {
      spec: object({
        groups: list(
          object({ interval: duration, name: { ...text, minLength: 1 }, rules: list(rule) }, "name"),
        ),
      }),
    },
    "spec",
  ),
});

export const networkAttachmentDefinitions = define({
  group: "k8s.cni.cncf.io",
  plural: "network-attachment-definitions",
  kind: "NetworkAttachmentDefinition",
  schema: object({ spec: object({ config: text }) }),
});

const issuer = object({ group: text, kind: text, name: text }, "name");

export const issuers = define({
  group: "cert-manager.io",
  plural: "issuers",
  kind: "Issuer",
  schema: object({ spec: object({ selfSigned: object({ crlDistributionPoints: list(text) }) }) }, "spec"),
});

const oneOf = (...values: string[]): Schema => ({ ...text, enum: values });

export const certificates = define({
  group: "cert-manager.io",
  plural: "certificates",
  kind: "Certificate",
  schema: object(
    {
      spec: object(
        {
          commonName: text,
          dnsNames: list(text),
          duration: text,
          ipAddresses: list(text),
          isCA: flag,
          issuerRef: issuer,
          privateKey: object({
            algorithm: oneOf("RSA", "ECDSA", "Ed25519"),
            encoding: oneOf("PKCS1", "PKCS8"),
            rotationPolicy: oneOf("Never", "Always"),
            size: { type: "integer" },
          }),
          renewBefore: text,
          secretName: text,
          usages: list(text),
        },
        "issuerRef",
        "secretName",
      ),
    },
    "spec",
  ),
});
