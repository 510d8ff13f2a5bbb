import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  formatPoolAnnotation,
  type PoolAnnotation,
  type PoolAnnotationBlock,
} from "../../../src/api/pool-annotation.ts";
import type { PoolKind } from "../../../src/api/pool-kind.ts";
import { poolAnnotationKey } from "../../../src/api/pool-names.ts";
import type { EmbeddedApiServer } from "../../parts/embedded-api-server.ts";
import { withMounts } from "./private-mounts.ts";
import type { Subject } from "./subjects.ts";
import { makeWorker, type Worker } from "./worker.ts";

/** What of a pool's annotation differs from one block without a gateway. */
export type Pool = Partial<Omit<PoolAnnotation, "blocks">> & {
  kind?: PoolKind;
  name?: string;
  blocks: (Omit<PoolAnnotationBlock, "name"> & { name?: string })[];
};

/** A worker whose Node can be given blocks. `mounts` keeps what is noted for the whole machine in a folder of the test's. */
export type PooledWorker = Worker & {
  give(pool: Pool): Promise<void>;
  /** What the plugin gets for CNI calls of this machine. */
  wrap(command: string[]): string[];
  /** The machine's /var/lib/cni and /run. */
  machine: { cni: string; run: string };
  uid: string;
};

export async function makePooledWorker(
  server: EmbeddedApiServer,
  subject: Subject,
  spec: Parameters<typeof makeWorker>[2] = {},
): Promise<PooledWorker> {
  const worker = await makeWorker(server, subject, spec);
  const uid = (await server.getNode(worker.name))?.metadata.uid ?? "";
  const machine = { cni: join(worker.folder, "cni"), run: join(worker.folder, "run") };
  for (const folder of Object.values(machine)) mkdirSync(folder);
  const places = { "/var/lib/cni": machine.cni, "/run": machine.run };
  const wrap = (command: string[]) => withMounts(places, command);
  return {
    ...worker,
    uid,
    machine,
    wrap,
    call: (verb, difference) => worker.call(verb, { wrap, ...difference }),
    add: (difference) => worker.add({ wrap, ...difference }),
    pass: (verb, difference) => worker.pass(verb, { wrap, ...difference }),
    fail: (verb, difference) => worker.fail(verb, { wrap, ...difference }),
    give: (pool) => worker.annotate(...annotationOf(pool, uid)),
  };
}

/** The annotation's key and text. */
export function annotationOf(
  { kind = "IPPool", name = "a", blocks, ...rest }: Pool,
  nodeUID: string,
): [string, string] {
  const named = blocks.map((block, i) => ({ name: `${kind.toLowerCase()}.${name}.${i}`, ...block }));
  const annotation: PoolAnnotation = { version: 1, nodeUID, holdsFor: 43_200, ...rest, blocks: named };
  return [poolAnnotationKey({ kind, name }), formatPoolAnnotation(annotation)];
}
