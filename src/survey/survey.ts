import { isStatus } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import { type Network, readNetworksOf } from "./network.ts";
import {
  type NodeFacts,
  type NodeRanges,
  podCIDRsKey,
  readAnnotation,
  readNodeFacts,
  readPodCIDRs,
} from "./node-ranges.ts";
import { type PodAddress, podNetwork, readPodAddresses } from "./pod-address.ts";
import { chooseKeys, type RangeKeys } from "./range-keys.ts";
import { readServiceCIDRs } from "./service-cidrs.ts";

/** What the cluster says of ranges and addresses at one moment. `notes` are sentences on what could not be read. */
export type Survey = {
  nodes: NodeFacts[];
  ranges: NodeRanges[];
  /** Why each key of `ranges` counts as one. */
  keys: ReadonlyMap<string, string>;
  networks: Network[];
  pods: PodAddress[];
  serviceCIDRs: string[];
  notes: string[];
};

/** `keys`: none for what is found (range-keys.ts). `pods` and `services` may be left out where nobody asks for them. */
export type SurveyOptions = {
  selector?: string;
  keys?: readonly string[];
  pods?: boolean;
  services?: boolean;
  onProgress?: (what: "nodes" | "pods", done: number, remaining: number) => void;
};

/** Where the API server has NetworkAttachmentDefinitions. */
export const definitions = "/apis/k8s.cni.cncf.io/v1/network-attachment-definitions";

/** Reads the cluster in pages, and keeps of each object only what is asked for here. Throws an ApiError where it can't read Nodes or Pods. */
export async function takeSurvey(client: Client, options: SurveyOptions = {}): Promise<Survey> {
  const notes: string[] = [];
  const networks = await readNetworks(client, notes);
  const keys = chooseKeys(networks, options.keys ?? []);
  const nodes = await readNodes(client, keys, options);
  const pods = options.pods === false ? [] : await readPods(client, options);
  const services = options.services === false ? { cidrs: [] } : await readServiceCIDRs(client);
  if (services.unknown) notes.push(services.unknown);
  const parts = { nodes, networks, pods, serviceCIDRs: services.cidrs, notes };
  return composeSurvey(parts, keys, options.keys ?? []);
}

/** A survey of what was read already; `keys` are those that chose the Nodes' annotations, of the same `given`. */
export function composeSurvey(
  parts: Omit<Survey, "ranges" | "keys">,
  keys: RangeKeys,
  given: readonly string[],
): Survey {
  const ranges = parts.nodes.flatMap((node) => rangesOf(node, keys, given));
  const survey = { ...parts, ranges, keys: keys.reasons };
  return given.length > 0 ? narrow(survey, given) : survey;
}

/** Networks and addresses of these keys alone; those of the pod network where a key is none of another network's. */
function narrow(survey: Survey, given: readonly string[]): Survey {
  const networks = survey.networks.filter(({ key }) => given.includes(key));
  const names = new Set(networks.map(({ name }) => name));
  const isOfPods = given.some(
    (key) => key === podCIDRsKey || !networks.some((network) => network.key === key),
  );
  const pods = survey.pods.filter(({ network }) => (network === podNetwork ? isOfPods : names.has(network)));
  return { ...survey, networks, pods };
}

/** The Nodes of a selector, with the annotations that count. */
function readNodes(client: Client, keys: RangeKeys, options: SurveyOptions): Promise<NodeFacts[]> {
  return client.list("/api/v1/nodes", (item) => readNodeFacts(item, keys.isOne), {
    ...(options.selector && { labelSelector: options.selector }),
    onPage: (done, remaining) => options.onProgress?.("nodes", done, remaining),
  });
}

/** Of 100,000 pods many share a node and a namespace: one text for each of those. */
async function readPods(client: Client, options: SurveyOptions): Promise<PodAddress[]> {
  const pods: PodAddress[] = [];
  const texts = new Map<string, string>();
  const share = (text: string) => {
    const known = texts.get(text);
    if (known === undefined) texts.set(text, text);
    return known ?? text;
  };
  const pick = (item: unknown) => {
    for (const pod of readPodAddresses(item) ?? [])
      pods.push({
        ...pod,
        node: share(pod.node),
        namespace: share(pod.namespace),
        network: share(pod.network),
      });
    return undefined;
  };
  const onPage = (done: number, remaining: number) => options.onProgress?.("pods", done, remaining);
  await client.list("/api/v1/pods", pick, { onPage });
  return pods;
}

/** A cluster without Multus has none. */
export async function readNetworks(client: Client, notes: string[]): Promise<Network[]> {
  try {
    return (await client.list(definitions, readNetworksOf)).flat();
  } catch (error) {
    if (!isStatus(error, 404, 403)) throw error;
    if (error.status === 403) notes.push(`networks were not read: ${error.message}`);
    return [];
  }
}

function rangesOf(node: NodeFacts, keys: RangeKeys, given: readonly string[]): NodeRanges[] {
  const podCIDRs = given.length === 0 || given.includes(podCIDRsKey) ? readPodCIDRs(node) : undefined;
  const annotated = Object.entries(node.annotations).map(([key, text]) =>
    readAnnotation(node.name, key, text, { plugin: keys.pluginOf(key), uid: node.uid }),
  );
  return podCIDRs ? [podCIDRs, ...annotated] : annotated;
}
