import { CniError } from "../cni/error.ts";

const reasons: Record<string, string> = {
  EROFS: "the folder is mounted read-only",
  ENOSPC: "no room is left there",
  EDQUOT: "no room is left there",
  EACCES: "this user may not do that: run it as root",
  EPERM: "this user may not do that: run it as root",
  ENOENT: "a folder on the way there is absent: is the host's folder mounted?",
  EIO: "the disk fails",
};

/** What was wrong, as a sentence: of the file system's errors where and why, of CNI errors what to do, too. */
export function faultWords(error: unknown): string {
  const { message, code = "", path, dest } = error as NodeJS.ErrnoException & { dest?: string };
  if (error instanceof CniError && error.details) return `${message}: ${error.details}`;
  const reason = reasons[code];
  const where = dest ?? path ?? /'([^']+)'/.exec(message)?.[1];
  return reason === undefined || where === undefined ? message : `${where}: ${reason} (${code})`;
}
