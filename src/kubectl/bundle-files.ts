import { version } from "../host/version.ts";
import { ApiError } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import { takeSurvey } from "../survey/survey.ts";
import { isObject } from "../text/json.ts";
import type { Files } from "./archive.ts";
import { pickConfiguration, pickEvent, pickNode, pickPod } from "./bundle-parts.ts";
import { listItems } from "./node-ranges-list.ts";
import { scrub, scrubText } from "./scrub.ts";

/** Which Nodes' states are taken: by name, or by label; none of both for all. */
export type BundleOrder = { nodes: readonly string[]; selector: string | undefined };

/** ConfigMaps that CNI plugins are set up with. */
const cniNames = /cni|multus|kube-node|whereabouts|calico|cilium|flannel|kube-router|nv-ipam|ovn/;

const definitions = "/apis/k8s.cni.cncf.io/v1/network-attachment-definitions";

/** Everything that goes into the archive, without secrets. What can't be read is said in `notes.txt`, and leaves the rest as it is. */
export async function collectBundle(client: Client, order: BundleOrder, now: Date): Promise<Files> {
  const files = new Map<string, string>();
  const notes: string[] = [`taken ${now.toISOString()}`, "values that looked like secrets were removed"];
  const add = (path: string, value: unknown) => files.set(path, `${JSON.stringify(scrub(value), null, 2)}\n`);
  const take = async (path: string, read: () => Promise<unknown>) => {
    try {
      add(path, await read());
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      notes.push(`${path} was not read: ${scrubText(error.message)}`);
    }
  };
  const everything = (path: string, pick: (item: unknown) => unknown, fieldSelector?: string) =>
    client.list(path, pick, { ...(fieldSelector !== undefined && { fieldSelector }) });

  await take("version.json", async () => ({ program: version, server: await client.get("/version") }));
  await take("networks.json", () => everything(definitions, pickConfiguration));
  await take("configmaps.json", () =>
    everything("/api/v1/configmaps", (item) => (isAboutCni(item) ? pickConfiguration(item) : undefined)),
  );
  const survey = await takeSurvey(client, {
    ...(order.selector !== undefined && { selector: order.selector }),
  });
  const isChosen = (name: unknown) => order.nodes.length === 0 || order.nodes.includes(String(name));
  const chosen = new Set(survey.nodes.map(({ name }) => name).filter(isChosen));
  const missing = order.nodes.filter((name) => !chosen.has(name));
  if (missing.length > 0)
    throw new Error(`there is no Node ${missing.join(", ")}: kubectl get nodes has all`);
  add(
    "ranges.json",
    listItems(survey, []).filter(({ node }) => chosen.has(node)),
  );
  notes.push(...survey.notes.map(scrubText));
  await take("nodes.json", () =>
    everything("/api/v1/nodes", (item) => {
      const node = pickNode(item, (key) => survey.keys.has(key));
      return chosen.has(nameOf(item)) ? node : undefined;
    }),
  );
  await take("pods.json", () =>
    everything("/api/v1/pods", (item) => {
      const pod = pickPod(item);
      return isObject(pod["spec"]) && chosen.has(String(pod["spec"]["nodeName"])) ? pod : undefined;
    }),
  );
  await take("events.json", () =>
    everything("/api/v1/events", (item) => (isAbout(item, chosen) ? pickEvent(item) : undefined)),
  );
  files.set("notes.txt", `${notes.join("\n")}\n`);
  return files;
}

function isAboutCni(item: unknown): boolean {
  return cniNames.test(nameOf(item));
}

/** Events of the Nodes themselves, and of pods as their kubelets tell them. */
function isAbout(item: unknown, chosen: ReadonlySet<string>): boolean {
  const part = (key: string) => (isObject(item) && isObject(item[key]) ? item[key] : {});
  const [object, source] = [part("involvedObject"), part("source")];
  return (
    (object["kind"] === "Node" && chosen.has(String(object["name"]))) || chosen.has(String(source["host"]))
  );
}

function nameOf(item: unknown): string {
  const metadata = isObject(item) && isObject(item["metadata"]) ? item["metadata"] : {};
  return String(metadata["name"]);
}
