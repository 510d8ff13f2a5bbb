import { existsSync } from "node:fs";
import { join } from "node:path";

/** The programs of envtest's folder convention, or the reason why there are none. */
export function findAssets(): { folder: string } | { missing: string } {
  const folder = process.env["KUBEBUILDER_ASSETS"];
  if (folder === undefined || folder === "") return { missing: "KUBEBUILDER_ASSETS is not set" };
  const missing = ["etcd", "kube-apiserver"].filter((name) => !existsSync(join(folder, name)));
  return missing.length === 0 ? { folder } : { missing: `no ${missing.join(", no ")} in KUBEBUILDER_ASSETS` };
}
