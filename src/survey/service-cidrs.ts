import { isStatus } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import { isObject } from "../text/json.ts";

const path = "/apis/networking.k8s.io/v1/servicecidrs";

/** What Services get their addresses of, or the reason why that can't be known. */
export type ServiceCIDRs = { cidrs: string[]; unknown?: string };

/** Servers tell since Kubernetes 1.33 (networking.k8s.io/v1 ServiceCIDR). */
export async function readServiceCIDRs(client: Client): Promise<ServiceCIDRs> {
  try {
    const lists = await client.list(path, (item) => {
      const spec = isObject(item) && isObject(item["spec"]) ? item["spec"] : {};
      return Array.isArray(spec["cidrs"]) ? spec["cidrs"].map(String) : undefined;
    });
    return { cidrs: lists.flat() };
  } catch (error) {
    if (!isStatus(error, 404, 403)) throw error;
    const why =
      error.status === 403 ? error.message : "this API server has no ServiceCIDRs (before Kubernetes 1.33)";
    return { cidrs: [], unknown: `ranges were not compared with those of Services: ${why}` };
  }
}
