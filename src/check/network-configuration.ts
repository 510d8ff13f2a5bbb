import { identifier } from "../cni/environment.ts";
import { CniError } from "../cni/error.ts";
import { parseNetwork } from "../cni/network.ts";
import { isVersion, versions } from "../cni/versions.ts";
import { refuseIpRanges } from "../request/ip-ranges.ts";
import { fold } from "../text/fold.ts";
import { isObject, type JsonObject, kindOf } from "../text/json.ts";
import { nearest } from "../text/nearest.ts";
import { quote } from "../text/quote.ts";
import { checkIpam } from "./ipam.ts";
import { type Located, within } from "./located.ts";
import { checkNvIpam } from "./nv-ipam.ts";
import type { Report } from "./report.ts";

/** Which annotations of a Node the configurations name, and in which of the two forms their values are to be. */
export type NamedAnnotations = Map<string, "ranges" | "body">;

const programs = ["kube-node", "node-annotation", "nv-ipam"] as const;

/** A configuration of one plugin, or a list of them (*.conflist), as a runtime reads it. A list's plugins get its name and version. */
export function checkNetworkConfiguration(
  located: Located,
  report: Report,
  named: NamedAnnotations,
  defaultName?: string,
): void {
  const raw = located.value;
  if (!isObject(raw)) {
    report.error(located.at([]), `expected a JSON object, found ${kindOf(raw)}`);
    return;
  }
  const head = { name: raw["name"] ?? defaultName, cniVersion: raw["cniVersion"] };
  checkHead(head, located, report);
  const { plugins } = raw;
  if (!("plugins" in raw)) checkPlugin(located, report, named, head);
  else if (!Array.isArray(plugins) || plugins.length === 0) {
    const found = Array.isArray(plugins) ? "an empty one" : kindOf(plugins);
    report.error(located.at(["plugins"]), `plugins: expected an array of plugins, found ${found}`);
  } else {
    for (const [index, plugin] of plugins.entries())
      checkPlugin(within(located, ["plugins", index], plugin), report, named, head);
  }
}

type Head = { name: unknown; cniVersion: unknown };

function checkHead({ name, cniVersion }: Head, located: Located, report: Report): void {
  if (name === undefined) report.error(located.at([]), "name is missing: the network's name");
  else if (typeof name !== "string")
    report.error(located.at(["name"]), `name: expected a string, found ${kindOf(name)}`);
  else if (!identifier.test(name)) {
    const expected = "expected letters, digits, '_', '.' and '-', the first a letter or a digit";
    report.error(located.at(["name"]), `name: ${quote(name)}: ${expected}`);
  }
  if (cniVersion === undefined || cniVersion === null || cniVersion === "" || isVersion(cniVersion)) return;
  const shown = typeof cniVersion === "string" ? quote(cniVersion) : kindOf(cniVersion);
  report.error(located.at(["cniVersion"]), `cniVersion: ${shown}: expected one of ${versions.join(", ")}`);
}

function checkPlugin(
  located: Located,
  report: Report,
  named: NamedAnnotations,
  { name, cniVersion }: Head,
): void {
  const raw = located.value;
  if (!isObject(raw)) {
    report.error(located.at([]), `expected a plugin, found ${kindOf(raw)}`);
    return;
  }
  const errors = report.errors();
  if (typeof raw["type"] !== "string")
    report.error(located.at(["type"]), `type: expected the plugin's name, found ${kindOf(raw["type"])}`);
  checkSpellings(raw, located, report);
  const ipam = isObject(raw["ipam"]) ? raw["ipam"] : {};
  const [key, type] = Object.entries(ipam).find(([name]) => fold(name) === "type") ?? [];
  if (typeof type === "string" && isProgram(type)) checkOurs({ raw, ipam, type }, located, report, named);
  else checkOther(type, key, located, report);
  // What nothing above has found, the plugin's own reading of a configuration finds.
  if (report.errors() === errors && typeof name === "string" && identifier.test(name))
    tryToRead({ ...raw, name, cniVersion: isVersion(cniVersion) ? cniVersion : "1.0.0" }, located, report);
}

type Ours = { raw: JsonObject; ipam: JsonObject; type: (typeof programs)[number] };

function checkOurs(
  { raw, ipam, type }: Ours,
  located: Located,
  report: Report,
  named: NamedAnnotations,
): void {
  noteAnnotation(ipam, type, named);
  if (type === "nv-ipam") checkNvIpam(ipam, within(located, ["ipam"], ipam), report);
  else checkIpam(type, ipam, within(located, ["ipam"], ipam), report);
  // node-annotation lets ranges of a runtime pass where it gates nothing, as the original did.
  const isGated = Object.entries(ipam).some(
    ([key, value]) => fold(key) === "ipv4-namespaces" && value !== null && value !== "",
  );
  if (type !== "node-annotation" || isGated)
    catchFault(() => refuseIpRanges(raw["runtimeConfig"]), located.at(["runtimeConfig"]), report);
}

const read = ["ipam", "args", "runtimeConfig", "name", "cniVersion"];

/** Main plugins read keys in any letter case, ours don't. */
function checkSpellings(raw: JsonObject, located: Located, report: Report): void {
  for (const key of Object.keys(raw)) {
    const meant = read.find((word) => word !== key && fold(word) === fold(key));
    if (meant !== undefined)
      report.error(located.key([key]), `${key}: kube-node doesn't take this spelling: write it "${meant}"`);
  }
}

function isProgram(type: string): type is (typeof programs)[number] {
  return (programs as readonly string[]).includes(type);
}

/** Another IPAM plugin's configuration is that one's; but for a name that must be ours. */
function checkOther(type: unknown, key: string | undefined, located: Located, report: Report): void {
  const meant = typeof type === "string" ? nearest(type, programs) : undefined;
  if (meant !== undefined && key !== undefined)
    report.error(located.at(["ipam", key]), `ipam.type: ${quote(String(type))} (did you mean "${meant}"?)`);
}

function noteAnnotation(ipam: JsonObject, type: (typeof programs)[number], named: NamedAnnotations): void {
  const key = Object.entries(ipam).find(([name]) => fold(name) === "annotation")?.[1];
  if (typeof key === "string" && key !== "") named.set(key, type === "node-annotation" ? "body" : "ranges");
}

function tryToRead(raw: JsonObject, located: Located, report: Report): void {
  catchFault(() => parseNetwork(JSON.stringify(raw)), located.at([]), report);
}

function catchFault(act: () => unknown, at: number, report: Report): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    report.error(at, error.details ? `${error.message}: ${error.details}` : error.message);
  }
}
