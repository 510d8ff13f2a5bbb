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

/** A file's name until it gets its own: it is another at each try, and who complains once compares words. */
const passingName = /\/\.(?:tmp|kube-node\.new|agent)-[^/'\s]*/g;

/** What was wrong, as a sentence: of the file system's errors where and why, of CNI errors what to do, too. */
export function faultWords(error: unknown): string {
  if (error instanceof CniError && error.details) return `${error.message}: ${error.details}`;
  const { code = "", path, dest } = error as NodeJS.ErrnoException & { dest?: string };
  const message = (error as Error).message.replace(passingName, "");
  const reason = reasons[code];
  const where = (dest ?? path ?? /'([^']+)'/.exec(message)?.[1])?.replace(passingName, "");
  return reason === undefined || where === undefined ? message : `${where}: ${reason} (${code})`;
}
