import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

/** A Node as a scenario writes it; its machine-id is this machine's unless it gives one. */
export type ScenarioNode = { podCIDRs?: string[]; annotations?: Record<string, string>; machineID?: string };

/** What a call must come to: addresses in any order of families, or a CNI error with words that it contains. */
export type Expected = {
  addresses?: string[];
  error?: { code: number; says: string };
  /** The whole of the store after it: address → container and interface. */
  store?: Record<string, string>;
  records?: string[];
  /** Requests that reached the API server during the step. */
  requests?: number;
  /** A part of the log that the step wrote. */
  log?: string;
};

export type Call = {
  verb: "ADD" | "DEL" | "CHECK" | "GC" | "STATUS";
  container?: string;
  interface?: string;
  namespace?: string;
  network?: string;
  valid?: string[];
} & Expected;

/** One step: a call, or something that happens to the world. */
export type Step =
  | { call: Call }
  | { annotate: Record<string, Record<string, string | null>> }
  | { api: "gone" | "back" }
  | { deleteNode: string }
  /** What is on the disk is of an earlier boot from here on. */
  | { reboot: true }
  /** Below the dataDir. */
  | { file: { path: string; content: string } };

type PluginName = "kube-node" | "node-annotation";

export type Scenario = {
  title: string;
  why?: string;
  nodes: Record<string, ScenarioNode>;
  /** Network configurations by name; where the plugin finds its kubeconfig, the log and the dataDir is filled in. */
  networks: Record<string, { plugin?: PluginName; cniVersion?: string; ipam: Record<string, unknown> }>;
  steps: Step[];
};

/** Every document of a folder, by its file's name. */
export function readScenarios(folder: string): { file: string; scenario: Scenario }[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
  return files
    .sort()
    .map((file) => ({ file, scenario: parse(readFileSync(join(folder, file), "utf8")) as Scenario }));
}

/** Whether node-annotation is called, whose store is always the machine's own: the test has to put a folder in its place. */
export function needsMounts({ networks }: Scenario): boolean {
  return Object.values(networks).some(({ plugin }) => plugin === "node-annotation");
}
