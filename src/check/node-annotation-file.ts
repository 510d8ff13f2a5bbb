import { parseNodeAnnotationConfig } from "../api/node-annotation-config.ts";
import type { JsonObject } from "../text/json.ts";
import { didYouMean } from "../text/nearest.ts";
import type { Located } from "./located.ts";
import type { Report } from "./report.ts";

const keys = ["kubeconfig", "nextipam", "log"];

/** The node's own file of node-annotation looks like no other: it has one of these keys and none of a configuration's. */
export function isNodeAnnotationFile(value: JsonObject): boolean {
  const others = ["type", "ipam", "plugins", "cniVersion", "name"];
  return keys.some((key) => key in value) && !others.some((key) => key in value);
}

export function checkNodeAnnotationFile(value: JsonObject, located: Located, report: Report): void {
  for (const [key, one] of Object.entries(value)) {
    if (!keys.includes(key))
      report.error(
        located.key([key]),
        `${key}: unknown key${didYouMean(key, keys)}: expected ${keys.join(", ")}`,
      );
    else checkKey(key, one, located, report);
  }
}

/** Each by itself, so that each has its place. */
function checkKey(key: string, value: unknown, located: Located, report: Report): void {
  try {
    parseNodeAnnotationConfig(JSON.stringify({ [key]: value }));
  } catch (error) {
    report.error(located.at([key]), (error as Error).message);
  }
}
