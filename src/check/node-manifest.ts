import { spanOf } from "../address/range.ts";
import { poolOfAnnotationKey } from "../api/pool-names.ts";
import { rangeSetsFault } from "../api/range-rules.ts";
import { isObject, kindOf } from "../text/json.ts";
import { type AnnotationForm, checkAnnotation } from "./annotation-text.ts";
import { toPath } from "./ipam.ts";
import type { Located } from "./located.ts";
import type { NamedAnnotations } from "./network-configuration.ts";
import type { Claimed } from "./overlaps.ts";
import type { Report } from "./report.ts";

/** A Node: its podCIDRs, and the annotations that hold ranges. What its pods may be given is added to `claims`. */
export function checkNode(
  located: Located,
  report: Report,
  named: NamedAnnotations,
  claims: Claimed[],
): void {
  const { metadata, spec } = located.value as { metadata?: unknown; spec?: unknown };
  const { name, annotations } = isObject(metadata) ? metadata : {};
  const owner = `Node ${typeof name === "string" ? name : "without a name"}`;
  if (isObject(annotations)) {
    const keys = Object.keys(annotations).filter((key) => named.has(key) || isOurs(key));
    for (const key of keys) checkValue(key, located, report, named, owner, claims);
  }
  if (isObject(spec) && spec["podCIDRs"] !== undefined)
    checkPodCIDRs(spec["podCIDRs"], located, report, owner, claims);
}

/** Keys that no configuration among the files needs to name. */
function isOurs(key: string): boolean {
  return key.startsWith("kube-node.nordix.org/") || /^[\w-]+\.ipam\.kube-node\.io\//.test(key);
}

/** A pool's annotation has one form, whoever names it. */
function formOf(key: string, named: NamedAnnotations): AnnotationForm {
  return poolOfAnnotationKey(key) ? "pool" : (named.get(key) ?? "ranges");
}

function checkValue(
  key: string,
  located: Located,
  report: Report,
  named: NamedAnnotations,
  owner: string,
  claims: Claimed[],
): void {
  const path = ["metadata", "annotations", key];
  const source = located.text(path);
  if (!source) {
    report.error(located.at(path), `annotation ${key}: expected a string; put it in quotes`);
    return;
  }
  const at = located.at(path);
  const error = (place: number, words: string) => report.error(place, `annotation ${key}: ${words}`);
  for (const span of checkAnnotation(source, formOf(key, named), error))
    claims.push({ space: `annotation ${key}`, owner, span, at, report, severity: "error" });
}

function checkPodCIDRs(
  podCIDRs: unknown,
  located: Located,
  report: Report,
  owner: string,
  claims: Claimed[],
): void {
  const path = ["spec", "podCIDRs"];
  if (!Array.isArray(podCIDRs) || podCIDRs.some((one) => typeof one !== "string")) {
    report.error(located.at(path), `spec.podCIDRs: expected an array of strings, found ${kindOf(podCIDRs)}`);
    return;
  }
  const ranges = podCIDRs.map((subnet: string) => [{ subnet }]);
  const fault = ranges.length === 0 ? undefined : rangeSetsFault(ranges, "");
  if (fault)
    report.error(located.at([...path, ...toPath(fault.path).slice(0, 1)]), `spec.podCIDRs: ${fault.words}`);
  else
    for (const [index, [range]] of ranges.entries()) {
      if (!range) continue;
      const at = located.at([...path, index]);
      claims.push({ space: "spec.podCIDRs", owner, span: spanOf(range), at, report, severity: "error" });
    }
}
