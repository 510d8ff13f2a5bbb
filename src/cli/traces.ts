import { existsSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { isErrno, listFolder, readText, removeIfThere } from "../host/files.ts";
import { ip } from "./execute.ts";

/** What of a machine plugins change beside leases, as it was before: links, forwarding, and which folders weren't there. */
export type Traces = { links: string[]; forwarding: Map<string, string>; absent: string[] };

const forwardingKeys = ["/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"];

/** Looks at the machine. `folders` are those that an ADD may make, with all that is above them. */
export function readTraces(folders: string[]): Traces {
  const forwarding = forwardingKeys.flatMap((key): [string, string][] => {
    const value = readText(key)?.trim();
    return value === undefined ? [] : [[key, value]];
  });
  const all = new Set(folders.flatMap(withParents));
  const absent = [...all].filter((folder) => !existsSync(folder)).sort((a, b) => b.length - a.length);
  return { links: listLinks(), forwarding: new Map(forwarding), absent };
}

function withParents(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [] : [folder, ...withParents(parent)];
}

/** Of this process's own network namespace; /sys may be another's. */
function listLinks(): string[] {
  const lines = (readText("/proc/self/net/dev") ?? "").split("\n").slice(2);
  return lines.map((line) => line.split(":")[0]?.trim() ?? "").filter((name) => name !== "");
}

/**
 * Puts the machine back as it was, but for what others use by now: links of these names that weren't there, forwarding,
 * folders that weren't there and hold nothing but bookkeeping. Gives what is left, in words.
 */
export async function putBack(before: Traces, links: string[]): Promise<string[]> {
  const made = links.filter((name) => !before.links.includes(name));
  const left: string[] = [];
  for (const name of made) {
    const words = await removeLink(name);
    if (words) left.push(words);
  }
  const others = listLinks().filter((name) => !before.links.includes(name));
  if (others.length === 0) restoreForwarding(before);
  for (const folder of before.absent) removeBookkeeping(folder);
  return left;
}

/** A veth pair goes a moment after its namespace. */
async function removeLink(name: string): Promise<string | undefined> {
  const hasPorts = async () => (await ip("-o", "link", "show", "master", name)).says !== "";
  for (let tries = 0; tries < 20 && listLinks().includes(name) && (await hasPorts()); tries++)
    await pause(50);
  if (!listLinks().includes(name)) return undefined;
  if (await hasPorts()) return `the bridge ${name}, which others use by now`;
  const { ok, says } = await ip("link", "del", name);
  return ok ? undefined : `the link ${name}: ${says}`;
}

function restoreForwarding({ forwarding }: Traces): void {
  for (const [key, value] of forwarding) if (readText(key)?.trim() !== value) writeFileSync(key, value);
}

/** What host-local and we keep of a network while nobody has an address of it. */
const bookkeeping = /^(?:lock|last_reserved_ip\.\d+|(?:ranges|failure|version)-.*)$/;

function removeBookkeeping(folder: string): void {
  const names = listFolder(folder);
  if (!names.every((name) => bookkeeping.test(name))) return;
  for (const name of names) removeIfThere(`${folder}/${name}`);
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!isErrno(error, "ENOENT", "ENOTEMPTY", "EBUSY")) throw error;
  }
}
