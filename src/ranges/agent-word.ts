import { mkdirSync } from "node:fs";
import { readOwn, removeIfThere, replaceFile } from "../host/files.ts";
import type { AgentNode } from "./agent-file.ts";

/** The agent's side of agent-file.ts: what it writes and the plugin reads. Errors of the file system are thrown. */
export type AgentWord = {
  /** Writes the Node where it is another than is there. The sign of life that is there already then stands for it, too. */
  publish(node: AgentNode): void;
  /** The Node that was published was as it is now when the API server was heard: `heardAt` is uptime, in seconds. */
  vouch(bootID: string, heardAt: number): void;
  /** From now on the plugin asks the API server. */
  withdraw(): void;
  /** The plugin asks from now on, but the Node stays to be looked at. */
  fallSilent(): void;
};

/** `folder` is /run/kube-node, as mounted here. */
export function openAgentWord(folder: string): AgentWord {
  const put = (name: string, text: string) => {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    replaceFile(folder, name, text);
  };
  return {
    publish: ({ name, uid, machineID, podCIDRs, annotations }) => {
      const node = { name, uid, machineID, podCIDRs, annotations };
      const text = `${JSON.stringify({ version: 1, node })}\n`;
      if (readOwn(`${folder}/node.json`)?.text !== text) put("node.json", text);
    },
    vouch: (bootID, heardAt) => put("alive", `${JSON.stringify({ bootID, heardAt })}\n`),
    withdraw: () => {
      removeIfThere(`${folder}/alive`);
      removeIfThere(`${folder}/node.json`);
    },
    fallSilent: () => void removeIfThere(`${folder}/alive`),
  };
}
