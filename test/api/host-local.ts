import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { callPlugin, type PluginAnswer } from "../parts/plugin.ts";

/** What the host-local in `folder` answers to an ADD with these ranges, on a store of its own. */
export async function askHostLocal(folder: string, ranges: object[][]): Promise<PluginAnswer> {
  const dataDir = mkdtempSync(join(tmpdir(), "ranges-"));
  try {
    return await callPlugin({
      command: [join(folder, "host-local")],
      verb: "ADD",
      containerID: "c1",
      ifname: "eth0",
      netns: "/var/run/netns/none",
      path: folder,
      stdin: { cniVersion: "1.0.0", name: "net1", ipam: { type: "host-local", dataDir, ranges } },
      timeoutMs: 5000,
    });
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}
