import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { execaSync } from "execa";
import { firstProgram, inPath, root } from "../../test/parts/tools.ts";

/** What this machine has for the demo; `lacks` is what real networks would need and isn't here. */
export type Surroundings = { programs: Programs; lacks: string[] };

/** Paths, those of the CNI plugins where they were found. */
export type Programs = { kubeNode: string; hostLocal?: string; bridge?: string };

/** By CNI_PATH and KUBE_NODE, as `./build.sh demo` sets them. */
export function lookAround(): Surroundings {
  const kubeNode = process.env["KUBE_NODE"] ?? "";
  if (!existsSync(kubeNode)) throw new Error("KUBE_NODE names no executable: run ./build.sh demo");
  const hostLocal = findPlugin("host-local");
  const bridge = findPlugin("bridge");
  const needed = [
    root().missing,
    ...Object.entries({ ip: "iproute2", mount: "mount", unshare: "util-linux" }).map(findTool),
    bridge ? undefined : "the bridge plugin (package containernetworking-plugins)",
    existsSync("/proc/net/if_inet6") ? undefined : "IPv6",
  ];
  const lacks = needed.filter((what) => what !== undefined);
  if (lacks.length === 0 && !mayMakeNamespaces()) lacks.push("the right to make namespaces");
  return { programs: { kubeNode, ...(hostLocal && { hostLocal }), ...(bridge && { bridge }) }, lacks };
}

function findPlugin(name: string): string | undefined {
  const folders = (process.env["CNI_PATH"] ?? "").split(delimiter).filter(Boolean);
  return firstProgram(
    folders.map((folder) => join(folder, name)),
    name,
  ).path;
}

function findTool([name, packageName]: [string, string]): string | undefined {
  return firstProgram(inPath(name), `${name} (package ${packageName})`).missing;
}

/** Tried in namespaces that go at once. */
function mayMakeNamespaces(): boolean {
  const script = "mount -t tmpfs tmpfs /run && ip netns add tried && ip link add tried type bridge";
  return !execaSync("unshare", ["--mount", "--net", "sh", "-c", script], { reject: false }).failed;
}
