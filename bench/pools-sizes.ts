import { formatPoolAnnotation } from "../src/api/pool-annotation.ts";
import { nodeBlockName, poolAnnotationKey } from "../src/api/pool-names.ts";
import { type Block, draftBlock, readBlock } from "../src/pool/block.ts";
import type { Pool } from "../src/pool/pool.ts";
import { projectBlocks } from "../src/pool/project-blocks.ts";
import type { StoredSizes } from "./pools-results.ts";

const uid = "0f2d6c1e-5b7a-4c38-9d3e-8a1b2c3d4e5f";
const time = "2026-01-01T00:00:00Z";
const node = { name: "worker-012345.example.internal", uid };

/** What etcd holds and watches send, by the JSON of objects as the API server makes them. */
export function measureSizes(pool: Pool): StoredSizes {
  const stored = { ...pool, uid };
  const index = 54_321n;
  const document = draftBlock(stored, node, index);
  const block = readBlock(document) as Block;
  const key = poolAnnotationKey(stored);
  const value = formatPoolAnnotation(projectBlocks(stored, uid, [block]));
  const status = { used: 12, seenAt: time };
  const nodeBlock = {
    ...document,
    metadata: {
      ...serversMetadata(nodeBlockName(stored, index), [
        managed("kube-node-controller", fields(document.spec, "spec")),
        managed("kube-node-agent", fields(status, "status"), "status"),
      ]),
      generation: 1,
    },
    status,
  };
  const annotations = Object.fromEntries([1, 2, 3, 4].map((i) => [`${key}-${i}`, value]));
  const managedAnnotations = { "f:metadata": { "f:annotations": prefixed(annotations) } };
  return {
    nodeBlock: bytes(nodeBlock) + `/registry/ipam.kube-node.io/nodeblocks/${document.metadata.name}`.length,
    annotation: bytes({ [key]: value }),
    managedField: bytes({ [`f:${key}`]: {} }),
    nodeMetadata: bytes(nodeMetadata(annotations, managedAnnotations)),
    statusRow: bytes({ nodeName: node.name, prefix: "fd00::d431:0:0/96", gateway: "fd00::d431:0:1" }),
  };
}

function nodeMetadata(annotations: Record<string, string>, managedAnnotations: object): object {
  const labels = {
    "beta.kubernetes.io/arch": "amd64",
    "beta.kubernetes.io/os": "linux",
    "kubernetes.io/arch": "amd64",
    "kubernetes.io/hostname": node.name,
    "kubernetes.io/os": "linux",
    "node.kubernetes.io/instance-type": "m5.2xlarge",
    "topology.kubernetes.io/region": "eu-central-1",
    "topology.kubernetes.io/zone": "eu-central-1a",
  };
  const attach = { "volumes.kubernetes.io/controller-managed-attach-detach": "true" };
  const conditions = ["DiskPressure", "MemoryPressure", "PIDPressure", "Ready"].map((type) => [
    `k:{"type":"${type}"}`,
    {
      "f:lastHeartbeatTime": {},
      "f:lastTransitionTime": {},
      "f:message": {},
      "f:reason": {},
      "f:status": {},
    },
  ]);
  const managedFields = [
    managed("kubelet", {
      "f:metadata": {
        "f:annotations": { ".": {}, ...prefixed(attach) },
        "f:labels": { ".": {}, ...prefixed(labels) },
      },
    }),
    managed("kube-controller-manager", {
      "f:spec": { "f:podCIDR": {}, "f:podCIDRs": { ".": {}, 'v:"10.1.2.0/24"': {} } },
    }),
    managed(
      "kubelet",
      { "f:status": { "f:conditions": Object.fromEntries(conditions), "f:images": {} } },
      "status",
    ),
    managed("kube-node-controller", managedAnnotations),
  ];
  return {
    kind: "PartialObjectMetadata",
    apiVersion: "meta.k8s.io/v1",
    metadata: {
      ...serversMetadata(node.name, managedFields),
      labels,
      annotations: { ...attach, ...annotations },
    },
  };
}

function serversMetadata(name: string, managedFields: object[]): { name: string } {
  const metadata = { name, uid, resourceVersion: "1234567890", creationTimestamp: time, managedFields };
  return metadata;
}

function managed(manager: string, fieldsV1: object, subresource?: string): object {
  return {
    manager,
    operation: "Apply",
    apiVersion: "ipam.kube-node.io/v1alpha1",
    time,
    fieldsType: "FieldsV1",
    fieldsV1,
    ...(subresource && { subresource }),
  };
}

function fields(value: object, under: string): object {
  const all = Object.entries(value).map(([key, inner]) => [
    `f:${key}`,
    typeof inner === "object" ? prefixed(inner) : {},
  ]);
  return { [`f:${under}`]: Object.fromEntries(all) };
}

function prefixed(value: object): object {
  return Object.fromEntries(Object.keys(value).map((key) => [`f:${key}`, {}]));
}

function bytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
