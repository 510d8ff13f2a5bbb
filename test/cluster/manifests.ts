const sleep = ["sh", "-c", "trap exit TERM; sleep 1000000 & wait"];

/** A namespace that may have pods with hostPath. */
export function namespace(name: string): object {
  const labels = { "pod-security.kubernetes.io/enforce": "privileged" };
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}

/** Pods on every node alike. */
export function deployment(namespace: string, name: string, image: string, replicas: number): object {
  const labels = { app: name };
  const spread = { maxSkew: 1, topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "ScheduleAnyway" };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          topologySpreadConstraints: [{ ...spread, labelSelector: { matchLabels: labels } }],
          containers: [{ name, image, command: sleep }],
        },
      },
    },
  };
}

/** A pod on each node, in the node's network, that looks into the folder where leases and records lie. */
export function lookout(namespace: string, image: string): object {
  const labels = { app: "lookout" };
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "lookout", namespace },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          hostNetwork: true,
          tolerations: [{ operator: "Exists" }],
          containers: [
            {
              name: "lookout",
              image,
              command: sleep,
              volumeMounts: [{ name: "cni", mountPath: "/var/lib/cni", readOnly: true }],
            },
          ],
          volumes: [{ name: "cni", hostPath: { path: "/var/lib/cni", type: "DirectoryOrCreate" } }],
        },
      },
    },
  };
}

/** A pod on each node, whatever state that is in, from which a command can be run in the node's own namespaces. */
export function watchtower(namespace: string, image: string): object {
  const labels = { app: "watchtower" };
  const container = { name: "watchtower", image, command: sleep, securityContext: { privileged: true } };
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "watchtower", namespace },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          hostNetwork: true,
          hostPID: true,
          tolerations: [{ operator: "Exists" }],
          containers: [container],
        },
      },
    },
  };
}
