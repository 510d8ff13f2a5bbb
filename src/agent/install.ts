import { setTimeout as pause } from "node:timers/promises";
import { makeBackOff } from "../daemon/back-off.ts";
import type { Health, Part } from "../daemon/part.ts";
import { writeAll } from "../host/files.ts";
import { type Log, openStreamLog } from "../host/log.ts";
import { createClient } from "../kube/client.ts";
import { type Connection, readConnection } from "../kube/connection.ts";
import { type NodeFacts, readNode } from "../kube/node.ts";
import type { AgentConfig } from "./config.ts";
import type { AgentContext } from "./context.ts";
import { faultWords } from "./fault-words.ts";
import { installCniConfig } from "./install-cni-config.ts";
import { installCredentials } from "./install-credentials.ts";
import { executablesMark, type Installed, installExecutables } from "./install-executables.ts";
import { openManifest } from "./manifest.ts";
import { sweepInstalling } from "./temporaries.ts";
import { whileLocked } from "./while-locked.ts";

/** Milliseconds between looks at what is installed; each costs next to nothing where it is as it should be. */
const everyMs = 60_000;

type Needs = { config: AgentConfig; log: Log; connect(): Promise<Connection> };

/** What has to be there before a runtime acts on it: programs and credentials, and the configuration last. */
function makeInstaller(needs: Needs): (node: () => Promise<NodeFacts | undefined>) => Promise<string> {
  let mark = "";
  let said: Installed = { words: "", waits: false };
  return async (node) => {
    const { config, log } = needs;
    const manifest = openManifest(config);
    if (mark === "" || said.waits || mark !== executablesMark(config)) {
      sweepInstalling(config);
      said = await installExecutables(config, manifest, log);
      mark = executablesMark(config);
    }
    const credentials = await installCredentials({ ...needs, manifest }, node);
    return [said.words, credentials, await installCniConfig(config, manifest, log)]
      .filter((words) => words !== "")
      .join("; ");
  };
}

/** Installs, and keeps it so. */
export async function startInstalling(context: AgentContext): Promise<Part> {
  const { log, ownNode } = context;
  const ending = new AbortController();
  const backOff = makeBackOff(1000, 300_000);
  const installer = makeInstaller(context);
  let health: Health = { live: true, ready: false, words: "not done yet" };
  let wake = new AbortController();
  ownNode.onChange(() => wake.abort());

  const done = (async () => {
    while (!ending.signal.aborted) {
      wake = new AbortController();
      const either = AbortSignal.any([wake.signal, ending.signal]);
      try {
        const words = await installer(async () => ownNode.current());
        if (!health.ready) log.info("the plugins are installed", { reason: words });
        health = { live: true, ready: true, words };
        backOff.reset();
        await pause(everyMs * (0.9 + Math.random() / 5), undefined, { signal: either }).catch(() => {});
      } catch (error) {
        const words = faultWords(error);
        if (words !== health.words) log.error("the plugins can't be installed", { reason: words });
        health = { live: true, ready: false, words };
        await backOff.wait(either);
      }
    }
  })();
  return {
    name: "install",
    stop: async () => {
      ending.abort();
      await done;
    },
    health: () => health,
  };
}

/** `kube-node-agent install`: once. The Node is asked for where a token needs it. */
export async function install(config: AgentConfig): Promise<number> {
  const log = openStreamLog(config.logLevel, { node: config.nodeName });
  const connect = () => readConnection({ kubeconfig: config.kubeconfig, env: process.env });
  return await whileLocked(config, "install", async () => {
    const words = await makeInstaller({ config, log, connect })(async () => askNode(await connect(), config));
    writeAll(1, `installed: ${words}\n`);
    return 0;
  });
}

async function askNode(connection: Connection, { nodeName }: AgentConfig): Promise<NodeFacts | undefined> {
  const client = await createClient(connection, { requestTimeoutMs: 15_000 });
  try {
    return readNode(await client.get(`/api/v1/nodes/${nodeName}`));
  } finally {
    client.close();
  }
}
