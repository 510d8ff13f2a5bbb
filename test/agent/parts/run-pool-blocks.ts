// node run-pool-blocks.ts NODE KUBECONFIG LOOK LONGEST TELL: the agent's parts for pools at a pace that tests can wait for.
import { Registry } from "prom-client";
import { readConfig } from "../../../src/agent/config.ts";
import type { AgentContext } from "../../../src/agent/context.ts";
import { startFollowing } from "../../../src/agent/follow.ts";
import { makeOwnNode } from "../../../src/agent/own-node.ts";
import { startPoolBlocks } from "../../../src/agent/pool-blocks.ts";
import { openStreamLog } from "../../../src/host/log.ts";
import { readConnection } from "../../../src/kube/connection.ts";

const [nodeName = "", kubeconfig = "", ...pace] = process.argv.slice(2);
const [look = 1, longestCall = 1, tell = 1] = pace.map(Number);
const ending = new AbortController();
const context: AgentContext = {
  config: readConfig({
    nodeName,
    kubeconfig,
    hostRoot: "/",
    cniBinDir: "/opt/cni/bin",
    cniConfDir: "/etc/cni/net.d",
    runDir: "/run/kube-node",
    dataDir: ["/var/lib/cni/networks"],
    metricsAddress: "127.0.0.1:0",
    gracePeriod: "2m",
    leakInterval: "10m",
    logLevel: "debug",
    credentials: "none",
  }),
  log: openStreamLog("debug", { node: nodeName }),
  connect: () => readConnection({ kubeconfig, env: {} }),
  ownNode: makeOwnNode(nodeName),
  metrics: new Registry(),
  routes: new Map(),
  signal: ending.signal,
  fail: (reason) => {
    process.stderr.write(`${reason}\n`);
    process.exit(1);
  },
};
const parts = [await startFollowing(context), await startPoolBlocks(context, { look, longestCall, tell })];
process.once("SIGTERM", () => {
  ending.abort();
  void Promise.all(parts.map((part) => part.stop())).then(() => process.exit(0));
});
