import { isObject, JsonSyntaxError, kindOf } from "../text/json.ts";
import { didYouMean } from "../text/nearest.ts";
import { type Located, locateJsonText, type SourceText } from "./located.ts";
import { checkNetworkConfiguration, type NamedAnnotations } from "./network-configuration.ts";
import type { Report } from "./report.ts";

/** A NetworkAttachmentDefinition of Multus: the configuration is JSON in a string, and may leave its name to the object's. */
export function checkNetworkAttachment(located: Located, report: Report, named: NamedAnnotations): void {
  const { metadata, spec } = located.value as { metadata?: unknown; spec?: unknown };
  const name = isObject(metadata) ? metadata["name"] : undefined;
  if (typeof name !== "string") report.error(located.at(["metadata"]), "metadata.name is missing");
  if (spec === undefined || spec === null) return; // Then Multus takes the file of that name in /etc/cni/net.d.
  if (!isObject(spec)) {
    report.error(located.at(["spec"]), `spec: expected an object, found ${kindOf(spec)}`);
    return;
  }
  for (const key of Object.keys(spec)) {
    if (key !== "config")
      report.error(
        located.key(["spec", key]),
        `spec.${key}: unknown key${didYouMean(key, ["config"])}: expected config`,
      );
  }
  if (spec["config"] === undefined || spec["config"] === "") return;
  const source = located.text(["spec", "config"]);
  if (source) checkConfigurationText(source, report, named, typeof name === "string" ? name : undefined);
  else {
    const words = `spec.config: expected JSON in a string, found ${kindOf(spec["config"])}: write "config: |" above it`;
    report.error(located.at(["spec", "config"]), words);
  }
}

/** A plugin configuration or a list of them, as a text that has to be JSON. */
function checkConfigurationText(
  source: SourceText,
  report: Report,
  named: NamedAnnotations,
  defaultName?: string,
): void {
  const located = locateOrReport(source, report);
  if (located) checkNetworkConfiguration(located, report, named, defaultName);
}

/** Undefined where it is no JSON. */
export function locateOrReport(source: SourceText, report: Report): Located | undefined {
  try {
    const { twice, ...located } = locateJsonText(source);
    for (const at of twice) report.error(at, "the same key stands twice: only the last one counts");
    return located;
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    report.error(source.toFile(error.position), `JSON is malformed: expected ${error.message}`);
    return undefined;
  }
}
