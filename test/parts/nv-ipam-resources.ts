import { setTimeout as sleep } from "node:timers/promises";
import type { PoolKind } from "../../src/api/pool-kind.ts";
import type { Client } from "../../src/kube/client.ts";

// nv-ipam's CustomResourceDefinitions as documents: fields and types as it publishes them, no field let through unknown.

type Schema = { type?: string; [key: string]: unknown };

const text: Schema = { type: "string" };
const flag: Schema = { type: "boolean" };
const number: Schema = { type: "integer" };
const list = (items: Schema): Schema => ({ type: "array", items });
const object = (properties: Record<string, Schema>, ...required: string[]): Schema => ({
  type: "object",
  properties,
  ...(required.length > 0 && { required }),
});

const requirements = list(object({ key: text, operator: text, values: list(text) }, "key", "operator"));
const common = {
  exclusions: list(object({ startIP: text, endIP: text }, "startIP", "endIP")),
  perNodeExclusions: list(object({ startIndex: number, endIndex: number }, "startIndex", "endIndex")),
  nodeSelector: object(
    {
      nodeSelectorTerms: list(object({ matchExpressions: requirements, matchFields: requirements })),
    },
    "nodeSelectorTerms",
  ),
  defaultGateway: flag,
  routes: list(object({ dst: text }, "dst")),
};

const shapes = {
  IPPool: {
    spec: object(
      { subnet: text, perNodeBlockSize: number, gateway: text, ...common },
      "subnet",
      "perNodeBlockSize",
    ),
    allocation: object({ nodeName: text, startIP: text, endIP: text }, "nodeName", "startIP", "endIP"),
  },
  CIDRPool: {
    spec: object(
      {
        cidr: text,
        perNodeNetworkPrefix: number,
        gatewayIndex: number,
        staticAllocations: list(object({ prefix: text, nodeName: text, gateway: text }, "prefix")),
        ...common,
      },
      "cidr",
      "perNodeNetworkPrefix",
    ),
    allocation: object({ nodeName: text, prefix: text, gateway: text }, "nodeName", "prefix"),
  },
};

export const nvIpamGroup = "nv-ipam.nvidia.com";
const definitionsPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

function define(kind: PoolKind) {
  const plural = `${kind.toLowerCase()}s`;
  const { spec, allocation } = shapes[kind];
  const schema = object({ spec, status: object({ allocations: list(allocation) }, "allocations") }, "spec");
  const version = {
    name: "v1alpha1",
    served: true,
    storage: true,
    schema: { openAPIV3Schema: schema },
    subresources: { status: {} },
  };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${nvIpamGroup}` },
    spec: {
      group: nvIpamGroup,
      scope: "Namespaced",
      names: { plural, kind, singular: kind.toLowerCase() },
      versions: [version],
    },
  };
}

/** Makes nv-ipam's IPPools and CIDRPools known to an API server, and waits until it serves them. */
export async function installNvIpamResources(client: Client): Promise<void> {
  for (const kind of ["IPPool", "CIDRPool"] as const) {
    const definition = define(kind);
    await client.patch(
      `${definitionsPath}/${definition.metadata.name}?fieldManager=test`,
      definition,
      "apply",
    );
    while (!(await isServed(client, kind))) await sleep(20);
  }
}

/** `/apis/nv-ipam.nvidia.com/v1alpha1/namespaces/kube-system/ippools`, or one of them. */
export function nvIpamPath(kind: PoolKind, name?: string, namespace = "kube-system"): string {
  const all = `/apis/${nvIpamGroup}/v1alpha1/namespaces/${namespace}/${kind.toLowerCase()}s`;
  return name === undefined ? all : `${all}/${name}`;
}

type Allocation = { nodeName: string; startIP?: string; endIP?: string; prefix?: string; gateway?: string };

/** A pool of nv-ipam's, with what its controller would have recorded, as that controller writes it. */
export async function createNvIpamPool(
  client: Client,
  kind: PoolKind,
  name: string,
  spec: object,
  allocations?: Allocation[],
  namespace = "kube-system",
): Promise<{ metadata: { name: string; uid: string; resourceVersion: string } }> {
  const body = { apiVersion: `${nvIpamGroup}/v1alpha1`, kind, metadata: { name, namespace }, spec };
  const made = await client.create<{ metadata: { name: string; uid: string; resourceVersion: string } }>(
    nvIpamPath(kind, undefined, namespace),
    body,
  );
  if (allocations) await writeNvIpamStatus(client, kind, name, allocations, namespace);
  return made;
}

/** As nv-ipam's controller would, whatever stands there. */
export async function writeNvIpamStatus(
  client: Client,
  kind: PoolKind,
  name: string,
  allocations: Allocation[],
  namespace = "kube-system",
): Promise<void> {
  const path = `${nvIpamPath(kind, name, namespace)}/status?fieldManager=ipam-controller`;
  await client.patch(path, { status: { allocations } }, "merge");
}

const leaseName = "dd1643cf.nvidia.com";

/** The Lease by which nv-ipam's controller leads, renewed now; `holder` "": nobody does. */
export async function holdNvIpamLease(
  client: Client,
  holder: string,
  { namespace = "kube-system", seconds = 15 } = {},
): Promise<void> {
  const time = new Date().toISOString().replace("Z", "000Z");
  const spec = {
    holderIdentity: holder,
    leaseDurationSeconds: seconds,
    acquireTime: time,
    renewTime: time,
    leaseTransitions: 1,
  };
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${leaseName}`;
  const body = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: leaseName }, spec };
  await client.patch(`${path}?fieldManager=ipam-controller&force=true`, body, "apply");
}

async function isServed(client: Client, kind: PoolKind): Promise<boolean> {
  return client.get(nvIpamPath(kind)).then(
    () => true,
    () => false,
  );
}
