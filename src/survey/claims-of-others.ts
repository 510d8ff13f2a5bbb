import { poolOfAnnotationKey } from "../api/pool-names.ts";
import type { Client } from "../kube/client.ts";
import { type Claim, claimsOfAnnotation, claimsOfPodCIDRs, claimsOfServices } from "../pool/claims.ts";
import { readAnnotation, readNodeFacts } from "./node-ranges.ts";
import { chooseKeys } from "./range-keys.ts";
import { readServiceCIDRs } from "./service-cidrs.ts";

/** Who gives addresses whatever is said of a pool. `unknown` is a sentence on what could not be read. */
export type ClaimsOfOthers = { claims: Claim[]; unknown?: string };

/** Nodes' podCIDRs and the annotations that people wrote, and what Services have: one list each, page by page. */
export async function readClaimsOfOthers(client: Client): Promise<ClaimsOfOthers> {
  const { cidrs, unknown } = await readServiceCIDRs(client);
  const claims = [...claimsOfServices(cidrs), ...(await readNodes(client))];
  return { claims, ...(unknown !== undefined && { unknown }) };
}

async function readNodes(client: Client): Promise<Claim[]> {
  const keys = chooseKeys([], []);
  const isOne = (key: string, text: string) =>
    poolOfAnnotationKey(key) === undefined && keys.isOne(key, text);
  const claims = await client.list("/api/v1/nodes", (item) => {
    const { name, podCIDRs, annotations } = readNodeFacts(item, isOne) ?? {
      name: "",
      podCIDRs: [],
      annotations: {},
    };
    return [
      ...claimsOfPodCIDRs(name, podCIDRs),
      ...Object.entries(annotations).flatMap(([key, text]) =>
        claimsOfAnnotation(name, key, readAnnotation(name, key, text).ranges),
      ),
    ];
  });
  return claims.flat();
}
