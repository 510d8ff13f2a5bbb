import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { callPlugin, type PluginAnswer } from "../parts/plugin.ts";
import { withMounts } from "../real/parts/private-mounts.ts";
import type { Subject } from "../real/parts/subjects.ts";
import type { Call, Scenario, Step } from "./scenario.ts";

/** What a step left behind, in the words of a scenario. */
export type Outcome = {
  answer?: PluginAnswer;
  store: Record<string, string>;
  records: string[];
  requests: number;
  log: string;
};

/** One node's disk, and an API server, for one scenario. The node is the first of the scenario's. */
export class World {
  readonly folder = mkdtempSync(join(tmpdir(), "scenario-"));
  readonly #scenario: Scenario;
  readonly #subject: Subject;
  /** Stands in for /var/lib/cni where node-annotation, which knows no other place, is called. */
  readonly #varLibCni = join(this.folder, "cni");
  readonly #dataDir = join(this.#varLibCni, "networks");
  readonly #kubeconfig = join(this.folder, "kubeconfig");
  readonly #nodeFile = join(this.folder, "node-annotation.conf");
  readonly #logfile = join(this.folder, "log");
  #api!: EmbeddedApiServer;
  #logLength = 0;

  constructor(scenario: Scenario, subject: Subject) {
    this.#scenario = scenario;
    this.#subject = subject;
  }

  async open(): Promise<void> {
    const ownID = readFileSync("/etc/machine-id", "utf8").trim();
    this.#api = await startEmbeddedApiServer();
    const nodes = Object.entries(this.#scenario.nodes);
    for (const [name, { machineID = name === nodes[0]?.[0] ? ownID : name, ...node }] of nodes) {
      await this.#api.createNode({ name, machineID, ...node });
    }
    const kubeconfig = await this.#api.kubeconfigFor({ kind: "kubelet", node: nodes[0]?.[0] ?? "" });
    writeFileSync(this.#kubeconfig, kubeconfig);
    writeFileSync(this.#nodeFile, JSON.stringify({ kubeconfig: this.#kubeconfig, log: this.#logfile }));
    mkdirSync(this.#dataDir, { recursive: true });
  }

  async close(): Promise<void> {
    await this.#api.close();
    rmSync(this.folder, { recursive: true });
  }

  async run(step: Step): Promise<Outcome> {
    this.#api.requests.length = 0;
    const answer = "call" in step ? await this.#call(step.call) : await this.#happen(step);
    const log = this.#readLog();
    const news = log.slice(this.#logLength);
    this.#logLength = log.length;
    const network =
      ("call" in step && step.call.network) || (Object.keys(this.#scenario.networks)[0] as string);
    return {
      ...(answer && { answer }),
      ...this.#look(network),
      requests: this.#api.requests.length,
      log: news,
    };
  }

  async #happen(step: Exclude<Step, { call: Call }>): Promise<undefined> {
    if ("annotate" in step) {
      for (const [node, annotations] of Object.entries(step.annotate)) {
        for (const [key, value] of Object.entries(annotations))
          await this.#api.setAnnotation(node, key, value);
      }
    } else if ("api" in step) {
      await this.#api.fault(step.api === "gone" ? "refused" : null);
    } else if ("reboot" in step) {
      this.#age();
    } else if ("deleteNode" in step) {
      await this.#api.deleteNode(step.deleteNode);
    } else {
      const path = join(this.#dataDir, step.file.path);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, step.file.content);
    }
    return undefined;
  }

  #age(): void {
    const state = join(this.#dataDir, ".kube-node");
    for (const file of readdirSync(state, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const path = join(file.parentPath, file.name);
      writeFileSync(path, readFileSync(path, "utf8").replace(/"bootID":"[^"]*"/g, '"bootID":"earlier"'));
    }
  }

  async #call(call: Call): Promise<PluginAnswer> {
    const name = call.network ?? (Object.keys(this.#scenario.networks)[0] as string);
    const {
      plugin = "kube-node",
      ipam,
      cniVersion = "1.1.0",
    } = this.#scenario.networks[name] ?? { ipam: {} };
    const { executable, hostLocal } = this.#subject;
    const isKubeNode = plugin === "kube-node";
    const valid = call.valid?.map((one) => {
      const [containerID, ifname] = one.split(" ");
      return { containerID, ifname };
    });
    const command = executable.command(plugin);
    return await callPlugin({
      command: isKubeNode ? command : withMounts({ "/var/lib/cni": this.#varLibCni }, command),
      verb: call.verb,
      path: hostLocal.folder,
      env: { NODE_ANNOTATION_CFG: this.#nodeFile },
      ...(call.container && {
        containerID: call.container,
        ifname: call.interface ?? "eth0",
        netns: "/var/run/netns/none",
      }),
      args: `IgnoreUnknown=1${call.namespace ? `;K8S_POD_NAMESPACE=${call.namespace}` : ""}`,
      stdin: {
        cniVersion,
        name,
        type: "bridge",
        ipam: { ...(isKubeNode && this.#usual()), timeout: 5, ...ipam },
        ...(valid && { "cni.dev/valid-attachments": valid }),
      },
    });
  }

  /** What a file on the node says to node-annotation stands in kube-node's own configuration. */
  #usual(): Record<string, string> {
    return { kubeconfig: this.#kubeconfig, dataDir: this.#dataDir, logfile: this.#logfile };
  }

  #look(network: string): Pick<Outcome, "store" | "records"> {
    const names = list(join(this.#dataDir, network)).filter((name) => isIP(name) > 0);
    const leases = names.map((name) => {
      const lease = readFileSync(join(this.#dataDir, network, name), "utf8");
      return [name, lease.trim().replace("\r\n", " ")] as const;
    });
    const records = list(join(this.#dataDir, ".kube-node", network, "attachments"));
    return {
      store: Object.fromEntries(leases),
      records: records.map((name) => name.replace(":", " ")).sort(),
    };
  }

  #readLog(): string {
    return list(this.folder).includes("log") ? readFileSync(this.#logfile, "utf8") : "";
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
