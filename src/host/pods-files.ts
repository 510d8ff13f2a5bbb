/** Below these lie files that pods make: volumes, containers' own file systems, processes' roots. */
const podFolders = [
  "/var/lib/kubelet/pods/",
  "/var/lib/containerd/",
  "/var/lib/containers/",
  "/var/lib/docker/",
  "/run/containerd/",
  "/proc/",
];

/** Whether a pod may have made what lies at this path, which has no links in it any more. */
export function isPodsFile(realPath: string): boolean {
  return podFolders.some((folder) => `${realPath}/`.startsWith(folder));
}
