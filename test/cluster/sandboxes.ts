import type { OwnCluster } from "./own-cluster.ts";

/** A pod's sandbox, as the runtime calls it, and its network namespace. */
export type Sandbox = { container: string; netns: string };

type Info = {
  ID: string;
  Labels: Record<string, string>;
  Spec: { linux: { namespaces: { type: string; path?: string }[] } };
};

/** Of all pods of a node, by the pod's UID: what the runtime says, whoever gave them their addresses. */
export async function sandboxesOn(cluster: OwnCluster, node: string): Promise<Map<string, Sandbox>> {
  const all = `ctr -n k8s.io containers ls -q 'labels."io.cri-containerd.kind"==sandbox'`;
  // One that is gone meanwhile is left out.
  const script = `for c in $(${all}); do ctr -n k8s.io containers info $c 2>/dev/null && echo ,; done; true`;
  const text = await cluster.run(["exec", node, "--", "sh", "-c", script]);
  const infos = JSON.parse(`[${text.trim().replace(/,$/, "")}]`) as Info[];
  return new Map(
    infos.flatMap(({ ID, Labels, Spec }) => {
      const netns = Spec.linux.namespaces.find(({ type }) => type === "network")?.path;
      const uid = Labels["io.kubernetes.pod.uid"];
      return uid && netns ? [[uid, { container: ID, netns }] as const] : [];
    }),
  );
}
