import type { Sight } from "../host/namespace-sight.ts";
import type { ProcessID } from "../host/process.ts";
import type { AttachmentRecord } from "../lease/record.ts";
import type { Sandboxes } from "../upkeep/sandboxes.ts";
import type { KnownPods } from "./known-pods.ts";

/** What is known of who lives, at one moment. A verdict follows from it and from a record alone. */
export type Evidence = {
  bootID: string;
  /** Which namespace a path leads to from here; "gone" where there is no such path, undefined where it can't be told. */
  namespaceAt(path: string): string | undefined;
  /** Looked up only where a record's path doesn't lead to its namespace. */
  sight(): Sight | undefined;
  /** The newest record that names this namespace, as of the last look: numbers of namespaces are used again. */
  newestHolder(netnsID: string): AttachmentRecord | undefined;
  hasEnded(process: ProcessID): boolean;
  /** Undefined where the API server isn't heard. */
  pods: KnownPods | undefined;
  /** The runtime's sandboxes by their id; undefined where its socket wasn't given, or didn't answer. */
  sandboxes: Sandboxes | undefined;
};
