import { realpathSync, statSync } from "node:fs";
import { CniError, code } from "../cni/error.ts";
import { isPodsFile } from "../host/pods-files.ts";

/**
 * A kubeconfig says what root runs (exec plugins) and reads (token files), and a network configuration, which a tenant may
 * write, says which kubeconfig. So it must be root's or this user's own file, and none that a pod could have made.
 */
export function refuseForeignKubeconfig(path: string): void {
  const real = resolve(path);
  if (real === undefined) return;
  const { uid, mode } = statSync(real);
  const remedy = "keep the kubeconfig in a folder of the node's, owned by root and written by root alone";
  const refuse = (why: string) =>
    new CniError(code.invalidConfig, `${path}: the kubeconfig can't be trusted: ${why}`, remedy);
  if (isPodsFile(real)) throw refuse(`it lies where pods' files are, ${real}`);
  if (uid !== 0 && uid !== process.geteuid?.()) throw refuse(`it belongs to user ${uid}`);
  if ((mode & 0o002) !== 0) throw refuse("everybody may write it");
}

/** Undefined where there is none: the reader says so better. */
function resolve(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
