import { execa, execaSync } from "execa";
import { runId } from "./run-folder.ts";
import { firstProgram, inPath, namespaces, type Requirement } from "./tools.ts";

/** A network namespace. `path` is a CNI_NETNS. */
export type Namespace = { name: string; path: string };

/** One end of a veth pair: in a namespace, or in the machine's own where none is given. Addresses are CIDRs. */
export type End = { namespace?: Namespace; link: string; addresses?: string[]; bridge?: string };

const made = new Set<string>();
let count = 0;

/** A new namespace with `lo` up, and IPv6 addresses that are usable at once. It goes at process.exit() at the latest. */
export function makeNamespace(label = "pod"): Namespace {
  if (count === 0) process.once("exit", removeAll);
  const name = `kn-${runId()}-${process.pid}-${++count}-${label}`;
  ip(["netns", "add", name]);
  made.add(name);
  const namespace = { name, path: `/var/run/netns/${name}` };
  ip(["-n", name, "link", "set", "lo", "up"]);
  setKernel(namespace, "net/ipv6/conf/default/accept_dad", "0");
  return namespace;
}

/** Their links go first: the kernel would take its time, and the other ends of veth pairs with it. */
export function removeNamespaces(done: Namespace[]): void {
  for (const namespace of done) {
    if (!made.delete(namespace.name)) continue;
    const links = linksOf(namespace).filter((link) => link !== "lo");
    for (const link of links) execaSync("ip", ["-n", namespace.name, "link", "del", link], { reject: false });
    ip(["netns", "del", namespace.name]);
  }
}

/** Removes what killed processes of this run left behind, and names it. */
export function sweepNamespaces(which: (name: string) => boolean = () => true): string[] {
  const { stdout, failed } = execaSync("ip", ["netns", "list"], { reject: false });
  if (failed) return [];
  const names = stdout.split("\n").map((line) => line.split(" ")[0] ?? "");
  const left = names.filter((name) => name.startsWith(`kn-${runId()}-`) && which(name));
  for (const name of left) ip(["netns", "del", name]);
  return left;
}

/** The same command, run in the namespace. */
export function inside(namespace: Namespace, command: string[]): string[] {
  return ["ip", "netns", "exec", namespace.name, ...command];
}

/** A value below /proc/sys, of the namespace. Nothing happens where the kernel has no such key. */
export function setKernel(namespace: Namespace, key: string, value: string): void {
  const script = 'test ! -e "/proc/sys/$1" || echo "$2" >"/proc/sys/$1"';
  run(inside(namespace, ["sh", "-c", script, "sh", key, value]));
}

export function allowForwarding(namespace: Namespace): void {
  setKernel(namespace, "net/ipv4/ip_forward", "1");
  setKernel(namespace, "net/ipv6/conf/all/forwarding", "1");
}

export function addBridge(namespace: Namespace, link: string, addresses: string[] = []): void {
  ip(["-n", namespace.name, "link", "add", link, "type", "bridge"]);
  bringUp({ namespace, link, addresses });
}

/** A veth pair between the two ends, up on both. */
export function connect(a: End, b: End): void {
  ip([...at(a.namespace), "link", "add", a.link, "type", "veth", "peer", "name", b.link, ...netns(b)]);
  for (const end of [a, b]) bringUp(end);
}

/** `destination` is a CIDR or "default". */
export function addRoute(namespace: Namespace, destination: string, via: string): void {
  const family = via.includes(":") ? "-6" : "-4";
  ip([family, "-n", namespace.name, "route", "add", destination, "via", via]);
}

/** The global addresses of a link as CIDRs, IPv4 first. */
export function addressesOf(namespace: Namespace, link: string): string[] {
  type Shown = { addr_info?: { local: string; prefixlen: number; scope: string }[] };
  const shown = JSON.parse(ip(["-j", "-n", namespace.name, "address", "show", "dev", link])) as Shown[];
  const all = shown.flatMap(({ addr_info }) => addr_info ?? []);
  return all.filter(({ scope }) => scope === "global").map(({ local, prefixlen }) => `${local}/${prefixlen}`);
}

/** Names of links, the machine's own without an argument. */
export function linksOf(namespace?: Namespace): string[] {
  const shown = JSON.parse(ip(["-j", ...at(namespace), "link", "show"])) as { ifname: string }[];
  return shown.map(({ ifname }) => ifname);
}

/** Whether the kernel can make links of a kind (macvlan, ipvlan, …), tried in a namespace. */
export function linkKind(kind: string): Requirement {
  const allowed = namespaces();
  if (allowed.missing) return allowed;
  const namespace = makeNamespace("probe");
  ip(["-n", namespace.name, "link", "add", "parent", "type", "veth"]);
  const parent = kind === "macvlan" || kind === "ipvlan" ? ["link", "parent"] : [];
  const tried = execaSync(
    "ip",
    ["-n", namespace.name, "link", "add", ...parent, "name", "tried", "type", kind],
    { reject: false },
  );
  removeNamespaces([namespace]);
  return tried.failed ? { missing: `links of kind ${kind} in this kernel` } : {};
}

/**
 * One ping, with two seconds for the answer. `ping` is that of the package iputils-ping, else busybox's; without both, a
 * TCP connection to a closed port: a refusal has come all the way, too.
 */
export async function ping(from: Namespace, address: string): Promise<{ reached: boolean; words: string }> {
  const program = firstProgram(inPath("ping"), "").path ?? firstProgram(inPath("busybox"), "").path;
  const command =
    program === undefined
      ? knock(address)
      : [program, ...(program.endsWith("busybox") ? ["ping"] : []), ...echo(address)];
  const [file, ...rest] = inside(from, command);
  const { failed, stdout, stderr } = await execa(file as string, rest, { reject: false, timeout: 5_000 });
  return { reached: !failed, words: `${stdout}\n${stderr}`.trim() };
}

function echo(address: string): string[] {
  return [address.includes(":") ? "-6" : "-4", "-c", "1", "-W", "2", address];
}

function knock(address: string): string[] {
  const script = `
    const socket = require("node:net").connect(9, process.argv[1]).setTimeout(2000, () => process.exit(1));
    socket.on("connect", () => process.exit(0)).on("error", ({ code }) => process.exit(code === "ECONNREFUSED" ? 0 : 1));`;
  return [process.execPath, "-e", script, address];
}

function bringUp({ namespace, link, addresses = [], bridge }: End): void {
  const where = at(namespace);
  if (bridge !== undefined) ip([...where, "link", "set", link, "master", bridge]);
  for (const address of addresses) {
    ip([...where, "address", "add", address, "dev", link, ...(address.includes(":") ? ["nodad"] : [])]);
  }
  ip([...where, "link", "set", link, "up"]);
}

function at(namespace: Namespace | undefined): string[] {
  return namespace === undefined ? [] : ["-n", namespace.name];
}

function netns({ namespace }: End): string[] {
  return namespace === undefined ? ["netns", String(process.pid)] : ["netns", namespace.name];
}

function ip(args: string[]): string {
  return run(["ip", ...args]);
}

function run([file, ...args]: string[]): string {
  return execaSync(file as string, args).stdout;
}

function removeAll(): void {
  for (const name of made) execaSync("ip", ["netns", "del", name], { reject: false });
}
