import type { Client } from "../../src/kube/client.ts";

/** A pod as a kubelet and Multus would leave it. `attachments`: NAMESPACE/NAME of a network and the addresses that it gave. */
export type PodSpec = {
  name: string;
  namespace?: string;
  node: string;
  ips?: string[];
  attachments?: Record<string, string[]>;
  hostNetwork?: boolean;
  phase?: string;
  since?: string;
};

/** Pods need the ServiceAccount of their namespace, which a controller would make. */
export async function createNamespace(client: Client, namespace: string): Promise<void> {
  if (namespace !== "default") await client.create("/api/v1/namespaces", { metadata: { name: namespace } });
  await client.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: "default" } });
}

export async function createPod(client: Client, pod: PodSpec): Promise<void> {
  const { name, namespace = "default", node, ips = [], attachments = {}, hostNetwork = false } = pod;
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const all = [
    { name: "cbr0", interface: "eth0", ips, default: true },
    ...Object.entries(attachments).map(([network, ips], i) => ({
      name: network,
      interface: `net${i + 1}`,
      ips,
    })),
  ];
  const hasNetworks = Object.keys(attachments).length > 0;
  await client.create(path, {
    metadata: {
      name,
      annotations: hasNetworks ? { "k8s.v1.cni.cncf.io/network-status": JSON.stringify(all) } : {},
    },
    spec: {
      nodeName: node,
      hostNetwork,
      automountServiceAccountToken: false,
      containers: [{ name: "main", image: "registry.example/main" }],
    },
  });
  const status = {
    phase: pod.phase ?? "Running",
    startTime: pod.since ?? "2026-01-02T03:04:05Z",
    podIPs: ips.map((ip) => ({ ip })),
    podIP: ips[0],
  };
  await client.patch(`${path}/${name}/status`, { status }, "merge");
}

const group = "k8s.cni.cncf.io";

/** The CustomResourceDefinition of Multus' NetworkAttachmentDefinitions. */
export async function defineNetworks(client: Client): Promise<void> {
  const names = {
    plural: "network-attachment-definitions",
    singular: "network-attachment-definition",
    kind: "NetworkAttachmentDefinition",
  };
  const config = { type: "object", properties: { config: { type: "string" } } };
  await client.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
    metadata: { name: `${names.plural}.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names,
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", properties: { spec: config } } },
        },
      ],
    },
  });
  for (const end = Date.now() + 20_000; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
    const isServed = client.list(`/apis/${group}/v1/${names.plural}`, () => undefined).then(() => true);
    if ((await isServed.catch(() => false)) || Date.now() > end) return;
  }
}

/** `config` is the network configuration. */
export async function createNetwork(client: Client, name: string, config: object): Promise<void> {
  const [namespace = "", own = ""] = name.split("/");
  await client.create(`/apis/${group}/v1/namespaces/${namespace}/network-attachment-definitions`, {
    apiVersion: `${group}/v1`,
    kind: "NetworkAttachmentDefinition",
    metadata: { name: own },
    spec: { config: JSON.stringify(config) },
  });
}
