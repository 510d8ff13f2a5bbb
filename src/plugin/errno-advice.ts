/** What a person can do about an error number. What isn't here speaks for itself. */
const advice: Record<string, string> = {
  EACCES: "the plugin may not do that: it has to run as root, and SELinux or AppArmor have to let it",
  EPERM: "the plugin may not do that: it has to run as root, and no file there may be immutable (lsattr)",
  EROFS: "the file system is mounted read-only: mount it for writing, or take another dataDir",
  ENOSPC: "the disk is full: free some space there, or inodes (df, df -i)",
  EDQUOT: "the disk quota is used up: free some space there, or raise the quota",
  EIO: "the disk, or the file system on it, is damaged: see dmesg, and take a dataDir on another",
  ENOTDIR: "a part of this path is a file and no folder: move it away, or take another dataDir",
  EISDIR: "a folder is in the place of a file: move it away",
  ELOOP: "its symbolic links lead in a circle: mend them, or take another dataDir",
  ENAMETOOLONG:
    "a file's name may have 255 bytes: give the network a shorter name, the runtime a shorter container id, or take a shorter dataDir",
  EMFILE:
    "too many files are open in this process: raise the runtime's limit (LimitNOFILE in its systemd unit)",
  ENFILE: "too many files are open on this machine: raise fs.file-max with sysctl",
  ENOMEM: "the machine, or the runtime's cgroup, has no memory left",
  ENOENT: "it was removed meanwhile: see who clears that folder; the next call makes it again",
};

/** Hard links are what claims are made of (docs/decisions/0002): a file system that has none says EPERM. */
const noLinks =
  "the file system there has no hard links: take a dataDir on one that does (ext4, xfs, tmpfs, overlay)";

/** A sentence on what to do about an errno error; it names the dataDir where that is where it happened. */
export function adviseOn({ code = "", syscall, path = "" }: NodeJS.ErrnoException): string {
  const words =
    syscall === "link" && /^(EPERM|EXDEV|EMLINK|ENOTSUP|EOPNOTSUPP)$/.test(code) ? noLinks : advice[code];
  if (words === undefined) return "";
  const at = path.indexOf("/.kube-node");
  return at > 0 ? `dataDir ${path.slice(0, at)}: ${words}` : words;
}
