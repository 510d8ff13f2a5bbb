import { statSync } from "node:fs";
import { isErrno } from "./files.ts";

/**
 * Which network namespace a path leads to, as `device:inode` of the kernel's nsfs; "gone" where there is no such path.
 * Undefined where it can't be told (not permitted, say).
 */
export function namespaceID(path: string): string | "gone" | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch (error) {
    return isErrno(error, "ENOENT", "ENOTDIR", "ESRCH") ? "gone" : undefined;
  }
}
