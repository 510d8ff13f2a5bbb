import { routesFault } from "../api/annotation.ts";
import { nvIpamKeys } from "../api/nv-ipam-config.ts";
import { isReserved, ownKeys } from "../api/plugin-config.ts";
import { configFaults } from "../api/plugin-config-explained.ts";
import type { Fault } from "../api/range-rules.ts";
import { isPodsFile } from "../host/pods-files.ts";
import { fold } from "../text/fold.ts";
import { type JsonObject, kindOf } from "../text/json.ts";
import { didYouMean } from "../text/nearest.ts";
import { quote } from "../text/quote.ts";
import type { Located, Path } from "./located.ts";
import type { Report } from "./report.ts";

/** `ipam` of one of our plugins: all that the plugin refuses, and the keys that nobody reads. */
export function checkIpam(
  program: "kube-node" | "node-annotation",
  ipam: JsonObject,
  located: Located,
  report: Report,
): void {
  const read = program === "kube-node" ? ipam : onlyRead(ipam);
  for (const { path, words } of configFaults(read)) {
    const isAboutKey = path.length === 1 && (isReserved(String(path[0])) || words.startsWith("the same key"));
    report.error(isAboutKey ? located.key(path) : located.at(path), `ipam.${formatPath(path)}: ${words}`);
  }
  if (program === "kube-node") checkPassedOn(ipam, located, report);
  else checkNodeAnnotation(ipam, located, report);
}

/** host-local's own keys, which travel to it. */
const passedOn = ["routes", "resolvConf"];

/** nv-ipam's keys that a moved configuration may still have, and that count where ipam.type is nv-ipam alone. */
const ofOtherPlugin = nvIpamKeys.filter((key) => !isOwn(key));

function checkPassedOn(ipam: JsonObject, located: Located, report: Report): void {
  const delegate = valueAt(ipam, "nextipam");
  for (const [key, value] of Object.entries(ipam)) {
    if (isOwn(key) || isReserved(key)) continue;
    if (ofOtherPlugin.includes(key))
      report.warning(
        located.key([key]),
        `ipam.${key}: nv-ipam's own key, which nobody reads where ipam.type is kube-node: leave it out`,
      );
    else if (passedOn.includes(key)) checkHostLocalKey(key, value, located, report);
    else reportUnknown(key, delegate, located, report);
  }
  checkDataDir(ipam, located, report);
}

function checkDataDir(ipam: JsonObject, located: Located, report: Report): void {
  const dataDir = valueAt(ipam, "dataDir");
  if (typeof dataDir !== "string" || dataDir === "") return;
  const at = located.at([keyOf(ipam, "dataDir")]);
  if (isPodsFile(dataDir))
    report.error(at, "ipam.dataDir: lies where pods' files are: name a folder of the node's");
  if (!dataDir.startsWith("/"))
    report.warning(
      at,
      `ipam.dataDir: ${quote(dataDir)} is relative to the runtime's working folder, and in another one the same addresses are given again: write an absolute path`,
    );
}

/** What another delegate than host-local knows, we don't: only what looks like a slip of the pen is wrong then. */
function reportUnknown(key: string, delegate: unknown, located: Located, report: Report): void {
  const hint = didYouMean(key, [...ownKeys, ...passedOn]);
  const other = typeof delegate === "string" && !["", "host-local"].includes(delegate) ? delegate : undefined;
  if (other !== undefined && hint === "")
    report.warning(located.key([key]), `ipam.${key}: no key of kube-node's: it goes to ${other}`);
  else {
    const words = `neither kube-node nor ${other ?? "host-local"} reads it`;
    report.error(located.key([key]), `ipam.${key}: unknown key${hint}: ${words}`);
  }
}

function checkHostLocalKey(key: string, value: unknown, located: Located, report: Report): void {
  if (key === "routes") {
    const fault = value === null ? undefined : routesFault(value);
    if (fault) report.error(located.at(toPath(fault.path)), `ipam.${formatFault(fault)}`);
  } else if (typeof value !== "string" && value !== null)
    report.error(located.at([key]), `ipam.${key}: expected a string, found ${kindOf(value)}`);
}

/** Keys that node-annotation, as its original, has never read: ranges and the delegate come from the node alone. */
function isUnread(key: string): boolean {
  return isReserved(key) || fold(key) === "nextipam" || fold(key) === "datadir";
}

function onlyRead(ipam: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(ipam).filter(([key]) => !isReserved(key) && fold(key) !== "nextipam"),
  );
}

function checkNodeAnnotation(ipam: JsonObject, located: Located, report: Report): void {
  const key = valueAt(ipam, "annotation");
  if (key === undefined || key === null || key === "")
    report.error(
      located.at(["annotation"]),
      "ipam.annotation: expected the key of an annotation on the Node",
    );
  for (const name of Object.keys(ipam)) {
    if (isUnread(name))
      report.error(
        located.key([name]),
        `ipam.${name}: node-annotation never reads it: it goes into the annotation`,
      );
    else if (!isOwn(name))
      report.error(
        located.key([name]),
        `ipam.${name}: unknown key${didYouMean(name, ownKeys)}: nobody reads it`,
      );
  }
}

function isOwn(key: string): boolean {
  return ownKeys.some((own) => fold(own) === fold(key));
}

/** Keys count in any letter case. */
function keyOf(ipam: JsonObject, name: string): string {
  return Object.keys(ipam).find((key) => fold(key) === fold(name)) ?? name;
}

function valueAt(ipam: JsonObject, name: string): unknown {
  return ipam[keyOf(ipam, name)];
}

/** `ranges[0][1].subnet` to its steps. */
export function toPath(text: string): Path {
  return [...text.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, key]) =>
    index === undefined ? (key ?? "") : Number(index),
  );
}

export function formatPath(path: Path): string {
  return path
    .map((step, index) => (typeof step === "number" ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join("");
}

export function formatFault({ path, words }: Fault): string {
  return path === "" ? words : `${path}: ${words}`;
}
