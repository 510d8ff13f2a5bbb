import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { PoolAnnotation } from "../../../src/api/pool-annotation.ts";
import type { PoolReference } from "../../../src/api/pool-names.ts";
import type { Doubt } from "../../../src/pool/judge-block.ts";
import type { CloseReason } from "../../../src/pool/judge-node.ts";
import type { Shortage } from "../../../src/pool/planner.ts";
import type { JsonObject } from "../../../src/text/json.ts";

/** A block's addresses: `10.0.0.1-10.0.0.9`, or the network where it is one. */
type Addresses = string;

/** A NodeBlock by its name, as a scenario writes it; its pool's and node's UIDs are their names unless it gives others. */
export type ScenarioBlock = {
  node: string;
  addresses: Addresses;
  nodeUID?: string;
  poolUID?: string;
  closing?: boolean;
};

type ScenarioNode = {
  uid?: string;
  labels?: Record<string, string>;
  podCIDRs?: string[];
  annotations?: Record<string, string>;
};

/** What happens to the world, and what a plan must come to then. Pools are called `IPPool/a`; null takes something away. */
export type Step = {
  why?: string;
  pools?: Record<string, JsonObject | null>;
  /** Pools that somebody deletes: they wait for their blocks. */
  deleting?: string[];
  /** A Node's UID is its name unless it gives another; `annotations` are those that a person wrote. */
  nodes?: Record<string, ScenarioNode | null>;
  /** The networks of Services. */
  services?: string[];
  blocks?: Record<string, ScenarioBlock | null>;
  /** Every pool's blocks after what the plan gives: a node's name → addresses. */
  has?: Record<string, Record<string, Addresses | Addresses[]>>;
  /** What isn't named from here on mustn't be: a node → why it has no block of the step's only pool, or of several. */
  unplaced?: Record<string, Record<string, Shortage>>;
  closes?: Record<string, CloseReason>;
  orphans?: string[];
  doubts?: Record<string, Doubt>;
  /** By pool: with whom it overlaps, so that it gives nothing. Of two pools the one that a scenario names first is the older one. */
  overlaps?: Record<string, string>;
  /** By pool: what is wrong with its spec, after the place where. */
  faults?: Record<string, string[]>;
  /** By pool: blocks in all and free, addresses in all. */
  counts?: Record<string, [total: number | string, free: number | string, addresses: number | string]>;
  /** By node and annotation's key; version and the node's UID are filled in. */
  annotations?: Record<string, Record<string, Omit<PoolAnnotation, "version" | "nodeUID">>>;
};

export type Scenario = { title: string; why?: string; steps: Step[] };

/** Every document of this folder, by its file's name. */
export function readPoolScenarios(): { file: string; scenario: Scenario }[] {
  const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith(".yaml"));
  return files.sort().map((file) => ({
    file,
    scenario: parse(readFileSync(join(import.meta.dirname, file), "utf8")) as Scenario,
  }));
}

export function parseReference(text: string): PoolReference {
  const [kind, name = ""] = text.split("/");
  if (kind !== "IPPool" && kind !== "CIDRPool")
    throw new Error(`${text}: expected IPPool/NAME or CIDRPool/NAME`);
  return { kind, name };
}
