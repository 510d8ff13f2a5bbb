// Compiled by old-ways.ts, and called as kube-node or node-annotation: it does what the original of that name does with leases, in the original's
// order. What the original asks the API server for lies in old-ranges.json, beside it.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";

type Ipam = { type?: string; dataDir?: string; ranges?: { subnet: string }[][] };
type Config = { cniVersion: string; name: string; ipam: Ipam & { "ipv4-namespaces"?: string[] } };

const ownPath = process.argv0;
const ranges = JSON.parse(readFileSync(join(dirname(ownPath), "old-ranges.json"), "utf8")) as Ipam["ranges"];
const input = JSON.parse(readFileSync(0, "utf8")) as Config;
process.exitCode = basename(ownPath) === "kube-node" ? kubeNode(input) : nodeAnnotation(input);

/** The cache is believed whatever it was made for, and gone with any error of the delegate's. */
function kubeNode({ name, cniVersion, ipam: asked }: Config): number {
  const cache = join(asked.dataDir ?? `/var/lib/cni/networks/${name}`, "kube-node.json");
  const ipam = readCache(cache) ?? makeCache(cache, asked);
  const { failed, answer } = delegate({ name, cniVersion, ipam: gate(ipam, asked["ipv4-namespaces"]) });
  if (!failed) return print(answer, 0);
  rmSync(cache, { force: true });
  return print(JSON.stringify({ cniVersion, code: 100, msg: "Invoke host-local ipam", details: answer }), 1);
}

function readCache(path: string): Ipam | undefined {
  try {
    const ipam = JSON.parse(readFileSync(path, "utf8")) as Ipam;
    return ipam.type === "host-local" && ipam.ranges?.length ? ipam : undefined;
  } catch {
    return undefined;
  }
}

/** In place, so that others may read half of it. */
function makeCache(path: string, { dataDir }: Ipam): Ipam {
  const ipam = { type: "host-local", ...(dataDir && { dataDir }), ranges: ranges ?? [] };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify(ipam), { mode: 0o666 });
  return ipam;
}

/** Without a list everybody gets IPv4. */
function gate(ipam: Ipam, namespaces: string[] | undefined): Ipam {
  const own = /(?:^|;)K8S_POD_NAMESPACE=([^;]*)/.exec(process.env["CNI_ARGS"] ?? "")?.[1];
  if (!namespaces || namespaces.includes(own ?? "")) return ipam;
  return { ...ipam, ranges: (ipam.ranges ?? []).filter(([range]) => range?.subnet.includes(":")) };
}

/** The annotation's body takes the place of `ipam`. */
function nodeAnnotation(config: Config): number {
  const { failed, answer } = delegate({ ...config, ipam: { type: "host-local", ranges: ranges ?? [] } });
  return print(answer, failed ? 1 : 0);
}

function delegate(config: object): { failed: boolean; answer: string } {
  const folders = (process.env["CNI_PATH"] ?? "").split(":");
  const path = folders.map((folder) => join(folder, "host-local")).find(existsSync) ?? "host-local";
  const { status, stdout } = spawnSync(path, { input: JSON.stringify(config), encoding: "utf8" });
  return { failed: status !== 0, answer: stdout };
}

function print(text: string, exitCode: number): number {
  writeSync(1, text);
  return exitCode;
}
