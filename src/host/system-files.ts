/** Below these lie programs and settings that others of root's programs read and run. */
const systemFolders = [
  "/bin/",
  "/boot/",
  "/dev/",
  "/etc/",
  "/lib/",
  "/lib32/",
  "/lib64/",
  "/libx32/",
  "/opt/",
  "/proc/",
  "/root/",
  "/sbin/",
  "/sys/",
  "/usr/",
];

/** What of /dev is no device that something could be done to. */
const harmless = ["/dev/null", "/dev/stdout", "/dev/stderr"];

/** Whether a file at this path, which has no links in it any more, may be one that the system lives by. */
export function isSystemFile(realPath: string): boolean {
  return systemFolders.some((folder) => realPath.startsWith(folder)) && !harmless.includes(realPath);
}
