import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Stage } from "./stage.ts";
import type { Programs } from "./surroundings.ts";

/** A temporary folder for each node; kube-node is executed by itself, and no network is touched. */
export function openFolders(
  { kubeNode, hostLocal }: Required<Omit<Programs, "bridge">>,
  lacks: string[],
): Stage {
  const folder = mkdtempSync(join(tmpdir(), "kube-node-demo-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const ofNode = ({ name }: { name: string }) => join(folder, name);
  return {
    lacks,
    api: { address: "127.0.0.1" },
    plugin: kubeNode,
    cniPath: dirname(hostLocal),
    hasMachineIDs: false,
    varLib: (node) => ({ there: ofNode(node), here: ofNode(node) }),
    addNode: (node) => mkdirSync(ofNode(node)),
    addRoutes: () => {},
    addPod: ({ name }) => `/run/netns/${name}`,
    onNode: (_node, command) => command,
  };
}
