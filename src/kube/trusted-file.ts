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
  const open = foldersAbove(real).find(isOpenToOthers);
  if (open !== undefined)
    throw refuse(`others may write the folder ${open}, and so put another in its place`);
}

function foldersAbove(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/") || "/");
}

/** In a sticky folder, as /tmp is, nobody can replace what is root's. */
function isOpenToOthers(folder: string): boolean {
  const { uid, gid, mode } = statSync(folder);
  const isOurs = [0, process.geteuid?.()].includes(uid);
  const isTrustedGroup = [0, process.getegid?.()].includes(gid);
  const mayOthersWrite = (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && !isTrustedGroup);
  return !isOurs || (mayOthersWrite && (mode & 0o1000) === 0);
}

/** Undefined where there is none: the reader says so better. */
function resolve(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
