import { setTimeout as sleep } from "node:timers/promises";
import { customResourceDefinitions } from "../../src/api/custom-resources.ts";
import { poolGroup, poolVersion } from "../../src/api/pool-names.ts";
import type { Client } from "../../src/kube/client.ts";

const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

type Condition = { type: string; status: string };

/** Makes IPPools, CIDRPools and NodeBlocks known to an API server, and waits until it serves them. */
export async function installPoolResources(client: Client): Promise<void> {
  const definitions = customResourceDefinitions();
  for (const definition of definitions)
    await client.patch(`${path}/${definition.metadata.name}?fieldManager=test`, definition, "apply");
  for (const { metadata, spec } of definitions) {
    while (!(await isEstablished(client, metadata.name))) await sleep(20);
    // Established comes a moment before the path is served.
    while (!(await isServed(client, spec.names.plural))) await sleep(20);
  }
}

/** `/apis/ipam.kube-node.io/v1alpha1/ippools`, or one of them. */
export function poolPath(kind: string, name?: string): string {
  const list = `/apis/${poolGroup}/${poolVersion}/${kind.toLowerCase()}s`;
  return name === undefined ? list : `${list}/${name}`;
}

async function isEstablished(client: Client, name: string): Promise<boolean> {
  const { status } = await client.get<{ status?: { conditions?: Condition[] } }>(`${path}/${name}`);
  return (status?.conditions ?? []).some((one) => one.type === "Established" && one.status === "True");
}

function isServed(client: Client, plural: string): Promise<boolean> {
  return client.get(`/apis/${poolGroup}/${poolVersion}/${plural}`).then(
    () => true,
    () => false,
  );
}

/** Every pool that is made or changed is asked about there, or refused. */
export function poolWebhook(url: string): object {
  return {
    name: "pools.ipam.kube-node.io",
    clientConfig: { url },
    rules: [
      {
        apiGroups: ["ipam.kube-node.io"],
        apiVersions: ["v1alpha1"],
        operations: ["CREATE", "UPDATE"],
        resources: ["ippools", "cidrpools"],
      },
    ],
    sideEffects: "None",
    failurePolicy: "Fail",
    admissionReviewVersions: ["v1"],
  };
}
