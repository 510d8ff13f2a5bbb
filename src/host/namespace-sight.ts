import { readdirSync } from "node:fs";
import { readText } from "./files.ts";
import { namespaceID } from "./network-namespace.ts";

/** A mount namespace as it was looked into: the network namespaces that are mounted there, and in which folders they lie. */
export type MountPlace = { namespaces: ReadonlySet<string>; folders: ReadonlySet<string> };

/** What can be seen of the machine's network namespaces from a process that may stand in a mount namespace of its own. */
export type Sight = {
  /** The process namespace that was looked through, as `namespaceID` has it. */
  processNamespace: string;
  /** Network namespaces that a process is in. */
  inUse: ReadonlySet<string>;
  /** This process's mount namespace, and that of process 1, where that can be read. */
  near: readonly string[];
  /** A mount namespace by its id; undefined where no process that can be looked at is in it. */
  place(id: string): MountPlace | undefined;
};

/** Undefined where not all processes can be looked at (hostPID and CAP_SYS_PTRACE are missing): then nothing that isn't found is proven gone. */
export function lookAtNamespaces(): Sight | undefined {
  const inUse = new Set<string>();
  const inside = new Map<string, string>();
  for (const pid of ["self", ...readdirSync("/proc").filter((name) => /^\d+$/.test(name))]) {
    const id = namespaceID(`/proc/${pid}/ns/net`);
    // Process 1, the machine's own, may be shut even to root; it is in no pod.
    if (id === undefined && pid !== "1") return undefined;
    if (id !== undefined) inUse.add(id);
    const mounts = namespaceID(`/proc/${pid}/ns/mnt`);
    if (mounts !== undefined && !inside.has(mounts)) inside.set(mounts, pid);
  }
  const near = ["self", "1"].map((pid) => namespaceID(`/proc/${pid}/ns/mnt`));
  const seen = new Map<string, MountPlace | undefined>();
  return {
    processNamespace: namespaceID("/proc/self/ns/pid") ?? "",
    inUse,
    near: near.filter((id) => id !== undefined),
    place(id) {
      const pid = inside.get(id);
      if (!seen.has(id)) seen.set(id, pid === undefined ? undefined : readPlace(id, pid));
      return seen.get(id);
    },
  };
}

/** Its process may have ended meanwhile, and its number be another's. */
function readPlace(id: string, pid: string): MountPlace | undefined {
  try {
    const text = readText(`/proc/${pid}/mountinfo`, 64 << 20);
    if (text === undefined || namespaceID(`/proc/${pid}/ns/mnt`) !== id) return undefined;
    return parseMounts(text);
  } catch {
    return undefined;
  }
}

/** The mounts of network namespaces in a mountinfo (proc_pid_mountinfo(5)): `43 42 0:4 net:[4026532177] /run/netns/a rw … - nsfs nsfs rw`. */
export function parseMounts(text: string): MountPlace {
  const namespaces = new Set<string>();
  const folders = new Set<string>();
  for (const line of text.split("\n")) {
    const found = /^\d+ \d+ (\d+):(\d+) net:\[(\d+)\] (\S+)\/[^/\s]+ .* - nsfs /.exec(line);
    if (!found) continue;
    const [, major, minor, inode, folder = ""] = found;
    namespaces.add(`${deviceNumber(Number(major), Number(minor))}:${inode}`);
    folders.add(folder);
  }
  return { namespaces, folders };
}

/** As stat(2) has it. */
function deviceNumber(major: number, minor: number): number {
  return (minor & 0xff) + (major & 0xfff) * 0x100 + (minor >> 8) * 0x100000;
}
