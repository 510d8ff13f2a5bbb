const nodeSelector = {
  nodeSelectorTerms: [{ matchExpressions: [{ key: "node-role.kubernetes.io/worker", operator: "Exists" }] }],
};
const exclusions = [{ startIP: "192.168.0.10", endIP: "192.168.0.20" }];
const manifest = (kind: string, name: string, spec: object) => ({
  apiVersion: "nv-ipam.nvidia.com/v1alpha1",
  kind,
  metadata: { name, namespace: "kube-system" },
  spec: { ...spec, nodeSelector },
});

/** Examples of github.com/Mellanox/nvidia-k8s-ipam: one network for all nodes, in both families, and one a node. */
export const manifestsOfNvIpam = [
  manifest("IPPool", "pool1", {
    subnet: "192.168.0.0/16",
    perNodeBlockSize: 128,
    exclusions,
    gateway: "192.168.0.1",
  }),
  manifest("IPPool", "pool2", {
    subnet: "fd52:2eb5:44::/48",
    perNodeBlockSize: 500,
    gateway: "fd52:2eb5:44::1",
  }),
  manifest("CIDRPool", "pool1", {
    cidr: "192.168.0.0/16",
    gatewayIndex: 1,
    perNodeNetworkPrefix: 24,
    exclusions,
    staticAllocations: [
      { nodeName: "node-33", prefix: "192.168.33.0/24", gateway: "192.168.33.10" },
      { prefix: "192.168.1.0/24" },
    ],
  }),
];
