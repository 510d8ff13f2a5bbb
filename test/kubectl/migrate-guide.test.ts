// docs/migrate-nv-ipam.md: every flag and key of nv-ipam's is mapped, to flags that there are; what it shows is what is printed.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { executables } from "../parts/plugin.ts";
import { checkout } from "../parts/tools.ts";

const page = readFileSync(join(checkout, "docs/migrate-nv-ipam.md"), "utf8");

const theirs = [
  ...[
    "health-probe-bind-address",
    "ippools-namespace",
    "kubeconfig",
    "leader-elect",
    "leader-elect-namespace",
  ],
  ...["metrics-bind-address", "webhook", "bind-address", "store-file", "node-name", "cni-bin-dir"],
  ...[
    "cni-nv-ipam-bin-file",
    "cni-skip-nv-ipam-binary-copy",
    "cni-skip-nv-ipam-config-creation",
    "cni-conf-dir",
  ],
  ...["cni-daemon-socket", "cni-daemon-call-timeout", "cni-log-file", "cni-log-level", "cni-force-pool-name"],
].map((flag) => `--${flag}`);
const keys = [
  ...[
    "type",
    "poolName",
    "poolType",
    "daemonSocket",
    "daemonCallTimeoutSeconds",
    "confDir",
    "logFile",
    "logLevel",
  ],
  ...["forcePoolName", "deviceID", "poolNames", "allocateDefaultGateway", "allocateIPWithIndex"],
];

type Name = Parameters<ReturnType<typeof executables>[number]["command"]>[0];

async function run(name: Name, words: string[], cwd = checkout): Promise<string> {
  const [file = "", ...args] = [...(executables()[0]?.command(name) ?? []), ...words];
  const { stdout, stderr } = await execa(file, args, { cwd, reject: false });
  return `${stdout}\n${stderr}`;
}

describe("docs/migrate-nv-ipam.md", () => {
  it("maps every flag of nv-ipam's controller and daemon", () => {
    const mapped = [...page.matchAll(/^\| (`--[^|]*) \|/gm)].flatMap(
      ([, cell = ""]) => cell.match(/--[\w-]+/g) ?? [],
    );
    expect(mapped.toSorted()).toEqual(
      [...theirs, ...theirs.filter((flag) => flag === "--ippools-namespace")].toSorted(),
    );
  });

  it("maps every key of its plugin", () => {
    const [, section = ""] = page.split("## Keys of its plugin");
    for (const key of keys) expect(section).toMatch(new RegExp(`\`${key}\\b`));
  });

  it("names only flags that there are, theirs or ours", async () => {
    const helps = await Promise.all([
      run("kube-node-controller", ["-h"]),
      run("kube-node-agent", ["run", "-h"]),
      run("kubectl-kube_node", ["migrate", "--help"]),
    ]);
    const known = new Set([
      ...theirs,
      "--replicas",
      ...helps.flatMap((text) => text.match(/--[\w-]+/g) ?? []),
    ]);
    const named = new Set(page.match(/--[a-z][\w-]+/g) ?? []);
    expect([...named].filter((flag) => !known.has(flag))).toEqual([]);
  });

  it("shows what check-config says of the misspelt key", async () => {
    const folder = mkdtempSync(join(tmpdir(), "guide-"));
    const [, manifest = ""] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
    writeFileSync(join(folder, "pool.yaml"), manifest);
    const [, shown = ""] = /\$ kube-node check-config pool.yaml\n(.*)\n/.exec(page) ?? [];
    expect(shown).toContain("did you mean");
    const printed = await run("kube-node", ["check-config", "pool.yaml"], folder);
    rmSync(folder, { recursive: true });
    expect(printed).toContain(shown);
  });
});
