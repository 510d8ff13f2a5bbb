import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseNetwork } from "../../src/cni/network.ts";
import { openLog } from "../../src/host/log.ts";
import { openState } from "../../src/lease/state.ts";
import { noEarlyDelegate } from "../../src/plugin/early-delegate.ts";
import type { Request } from "../../src/plugin/request.ts";
import { podCIDRs } from "../../src/ranges/source.ts";
import { openBudget } from "../../src/request/budget.ts";
import { testFolder } from "../host/folder.ts";

/** A request for network net1 with a data folder of its own, as kube-node would read it. */
export function makeRequest(changes: Partial<Request> = {}): Request & { dataDir: string } {
  const dataDir = testFolder();
  return {
    network: parseNetwork(JSON.stringify({ cniVersion: "1.0.0", name: "net1", ipam: { type: "kube-node" } })),
    source: podCIDRs,
    cacheTTL: 0,
    mayHaveLegacyCache: false,
    delegate: { name: "host-local", folders: [] },
    passedOn: {},
    prepare: (ipam) => ipam,
    state: openState(dataDir, "net1"),
    budget: openBudget(20),
    env: {},
    log: openLog("/dev/null", 50),
    early: noEarlyDelegate,
    ...changes,
    dataDir,
  };
}

/** A program in a folder of its own that prints and does what the shell script says. */
export function makeDelegate(script: string, name = "host-local"): { folder: string; path: string } {
  const folder = testFolder();
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { folder, path };
}
