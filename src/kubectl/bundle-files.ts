import { poolFolder } from "../api/pool-names.ts";
import { version } from "../host/version.ts";
import { ApiError } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import { definitions, takeSurvey } from "../survey/survey.ts";
import { isObject } from "../text/json.ts";
import type { Files } from "./archive.ts";
import { pickConfiguration, pickEvent, pickNode, pickPod, pickWithStatus } from "./bundle-parts.ts";
import { checkNames } from "./choose-nodes.ts";
import { listItems } from "./node-ranges-list.ts";
import { scrub, scrubText } from "./scrub.ts";

/** Which Nodes' states are taken: by name, or by label; none of both for all. */
export type BundleOrder = { nodes: readonly string[]; selector: string | undefined };

const poolResources = ["ippools", "cidrpools", "nodeblocks"];

/** ConfigMaps that CNI plugins are set up with. */
const cniNames = /cni|multus|kube-node|whereabouts|calico|cilium|flannel|kube-router|nv-ipam|ovn/;

/** Everything that goes into the archive, without secrets. What can't be read is said in `notes.txt`, and leaves the rest as it is. */
export async function collectBundle(client: Client, order: BundleOrder, now: Date): Promise<Files> {
  const files = new Map<string, string>();
  const notes: string[] = [`taken ${now.toISOString()}`, "values that looked like secrets were removed"];
  const take = async (path: string, read: () => Promise<string>) => {
    try {
      files.set(path, await read());
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      notes.push(`${path} was not read: ${scrubText(error.message)}`);
    }
  };
  const everything = (path: string, pick: (item: unknown) => unknown) => listAsText(client, path, pick);

  await take("version.json", async () => format({ program: version, server: await client.get("/version") }));
  await take("networks.json", () => everything(definitions, pickConfiguration));
  for (const plural of poolResources)
    await take(`${plural}.json`, () => everything(`${poolFolder}/${plural}`, pickWithStatus));
  await take("configmaps.json", () =>
    everything("/api/v1/configmaps", (item) => (isAboutCni(item) ? pickConfiguration(item) : undefined)),
  );
  const { chosen, isRanges, ranges, gaps } = await survey(client, order);
  files.set("ranges.json", ranges);
  notes.push(...gaps.map(scrubText));
  await take("nodes.json", () =>
    everything("/api/v1/nodes", (item) => (chosen.has(nameOf(item)) ? pickNode(item, isRanges) : undefined)),
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

/** Which Nodes are meant, and their ranges; the survey's pods are forgotten with it. */
async function survey(client: Client, { nodes, selector }: BundleOrder) {
  const found = await takeSurvey(client, selector === undefined ? {} : { selector });
  const names = found.nodes.map(({ name }) => name);
  const chosen = new Set(names.filter((name) => nodes.length === 0 || nodes.includes(name)));
  checkNames(nodes, chosen);
  const { keys, notes: gaps } = found;
  const ranges = format(listItems(found, []).filter(({ node }) => chosen.has(node)));
  return { chosen, isRanges: (key: string) => keys.has(key), ranges, gaps };
}

function format(value: unknown): string {
  return `${JSON.stringify(scrub(value), null, 2)}\n`;
}

/** An item a line, made into text as it comes: of 100,000 pods as objects there would be half a GiB. */
async function listAsText(client: Client, path: string, pick: (item: unknown) => unknown): Promise<string> {
  const lines = await client.list(path, (item) => {
    const picked = pick(item);
    return picked === undefined ? undefined : JSON.stringify(scrub(picked));
  });
  return `[\n${lines.join(",\n")}\n]\n`;
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
