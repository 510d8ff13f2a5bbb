import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** An entry of nv-ipam's store: container `id` on `ifname` (net1) has `ip` of `pool` (a; `cidrpool/NAME` for a CIDRPool). */
export type OldEntry = {
  id: string;
  ip: string;
  ifname?: string;
  pool?: string;
  pod?: string;
  uid?: string;
  key?: string;
};

/** A store as nv-ipam's daemon writes it. */
export function nvIpamStoreOf(entries: OldEntry[], version: unknown = 1): string {
  const pools = Map.groupBy(entries, ({ pool = "a" }) => pool);
  const shown = [...pools].map(([pool, all]) => [
    pool,
    {
      name: pool.replace(/^cidrpool\//, ""),
      entries: Object.fromEntries(all.map(entryOf)),
      last_pool_config: null,
      last_reserved_ip: all.at(-1)?.ip,
    },
  ]);
  return JSON.stringify({ version, checksum: 3_141_592_653, pools: Object.fromEntries(shown) });
}

function entryOf({ id, ip, ifname = "net1", pod = "web/a", uid = `uid-${id}`, key }: OldEntry) {
  const [pod_namespace, pod_name] = pod.split("/");
  const metadata = { create_time: "2026-01-02T03:04:05Z", pod_uuid: uid, pod_name, pod_namespace };
  const entry = { container_id: id, interface_name: ifname, ip_address: ip, metadata };
  return [key ?? `${id}_${ifname}`, entry];
}

/** Puts it into a machine's /var/lib/cni; gives its path. */
export function putNvIpamStore(cni: string, text: string): string {
  const path = join(cni, "nv-ipam/store");
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** What libcni keeps of an attachment, in a machine's /var/lib/cni. */
export function putLibcniCache(
  cni: string,
  {
    id,
    ifname = "net1",
    network = "net1",
    netns,
    ip,
  }: { id: string; ifname?: string; network?: string; netns?: string; ip: string },
): void {
  const folder = join(cni, "results");
  mkdirSync(folder, { recursive: true });
  const cached = {
    kind: "cniCacheV1",
    containerId: id,
    config: "e30=",
    ifName: ifname,
    networkName: network,
    ...(netns !== undefined && { netns }),
    cniArgs: [
      ["K8S_POD_NAMESPACE", "web"],
      ["K8S_POD_NAME", "a"],
      ["K8S_POD_UID", `uid-${id}`],
    ],
    result: { cniVersion: "1.0.0", ips: [{ address: `${ip}/16` }] },
  };
  writeFileSync(join(folder, `${network}-${id}-${ifname}`), JSON.stringify(cached));
}
