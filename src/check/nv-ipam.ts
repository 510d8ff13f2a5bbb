import { nvIpamKeys, readNvIpamConfig } from "../api/nv-ipam-config.ts";
import { isReserved, ownKeys } from "../api/plugin-config.ts";
import { fold } from "../text/fold.ts";
import type { JsonObject } from "../text/json.ts";
import { didYouMean } from "../text/nearest.ts";
import { checkIpam } from "./ipam.ts";
import type { Located } from "./located.ts";
import type { Report } from "./report.ts";

/** `ipam` of a configuration for nv-ipam. Its file of defaults lies on the node: what stands there is not looked at. */
export function checkNvIpam(ipam: JsonObject, located: Located, report: Report): void {
  const { config, rest, daemon, faults } = readNvIpamConfig(ipam);
  for (const { key, words } of faults) report.error(located.at([key]), `ipam.${key}: ${words}`);
  if (config.forcePoolName === true && config.poolName === undefined && !faults.some(isAboutPool))
    report.error(located.at([]), "ipam.poolName: expected the name of a pool, which forcePoolName asks for");
  for (const key of daemon)
    report.warning(located.key([key]), `ipam.${key}: there is no daemon: nobody reads it, leave it out`);
  const unknown = Object.keys(rest).filter((key) => !isKubeNodes(key));
  for (const key of unknown) {
    const hint = didYouMean(key, [...nvIpamKeys, ...ownKeys]);
    report.error(
      located.key([key]),
      `ipam.${key}: unknown key${hint}: neither nv-ipam nor kube-node reads it`,
    );
  }
  const known = Object.fromEntries(Object.entries(rest).filter(([key]) => !unknown.includes(key)));
  checkIpam("kube-node", known, located, report);
}

function isAboutPool({ key }: { key: string }): boolean {
  return fold(key) === fold("poolName");
}

/** Keys of kube-node's own, and of host-local's, count beside nv-ipam's. */
function isKubeNodes(key: string): boolean {
  return isReserved(key) || [...ownKeys, "routes", "resolvConf"].some((own) => fold(own) === fold(key));
}
