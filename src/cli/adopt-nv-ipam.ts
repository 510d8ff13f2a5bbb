import { formatIp } from "../address/ip.ts";
import type { PoolAnnotation } from "../api/pool-annotation.ts";
import { CniError, code } from "../cni/error.ts";
import { readText } from "../host/files.ts";
import { findRanges } from "../ranges/node-ranges.ts";
import { poolAnnotations } from "../ranges/pool-source.ts";
import type { ReadRequest } from "../request/request.ts";
import { toWanted } from "../request/wanted-ranges.ts";
import { visible } from "../text/visible.ts";
import type { LifeEvidence } from "../upkeep/life.ts";
import { moveIn, readWhatIsOld } from "../upkeep/move-in.ts";
import { readServed, textsIn } from "../upkeep/served-networks.ts";
import type { AdoptedLease } from "./adopt-report.ts";
import type { NetworkChoice } from "./inventories.ts";
import type { Terminal } from "./terminal.ts";

/** Milliseconds that a network's leases may take. */
const longest = 120_000;

type Order = NetworkChoice & {
  conf: string[];
  folders: string[];
  evidence: LifeEvidence;
  dryRun: boolean;
};

/** Takes over nv-ipam's leases for each network of pools that a configuration tells of; what can't be done for one is said, and done for the others. */
export async function moveNetworksIn(
  order: Order,
  { note }: Terminal,
): Promise<{ leases: AdoptedLease[]; failures: string[] }> {
  const inFolder = textsIn(order.confDir ?? "/etc/cni/net.d", note);
  const given = order.conf.map((path) => ({ origin: path, text: readGiven(path), name: nameOf(path) }));
  const served = await readServed([...given, ...inFolder], (words) => note(`warning: ${words}`));
  const requests = served
    .map(({ request }) => request)
    .filter(({ pooled, network }) => pooled && [undefined, network.name].includes(order.network));
  const leases: AdoptedLease[] = [];
  const failures: string[] = [];
  for (const request of requests) {
    try {
      leases.push(...(await moveOne(request, order)));
    } catch (error) {
      if (!(error instanceof CniError) && !(error instanceof Error && "syscall" in error)) throw error;
      const details = error instanceof CniError && error.details ? `: ${error.details}` : "";
      failures.push(visible(`network ${request.network.name}: ${error.message}${details}`));
    }
  }
  return { leases, failures: [...new Set(failures)] };
}

function readGiven(path: string): string {
  const text = readText(path);
  if (text === undefined) throw new CniError(code.io, `--conf ${path}: there is no such file`);
  return text;
}

/** Multus has a definition's name for a configuration without one. */
function nameOf(path: string): string {
  return path.replace(/^.*\//, "").replace(/\.[a-z]+$/, "");
}

async function moveOne(request: ReadRequest, { folders, evidence, dryRun }: Order): Promise<AdoptedLease[]> {
  if (!(await readWhatIsOld(request))) return [];
  const pools = request.pooled?.pools ?? [];
  const source = poolAnnotations(
    pools[0]?.kind ?? "IPPool",
    pools.map(({ name }) => name),
  );
  const { ipam } = await findRanges({ ...toWanted(request), source, keepsNothing: true });
  const annotations = ipam["annotations"] as (PoolAnnotation | undefined)[];
  const deadline = Date.now() + longest;
  const moved = await moveIn({ request, annotations, evidence, folders, env: {}, deadline, dryRun });
  return moved.map(({ lease, outcome, reason }) => ({
    ...{ from: "nv-ipam" as const, network: request.network.name, outcome, reason, pod: lease.pod },
    ...{ containerID: lease.containerID, ifname: lease.ifname, addresses: [formatIp(lease.ip)] },
  }));
}
