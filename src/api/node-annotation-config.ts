import {
  isObject,
  type JsonObject,
  JsonSyntaxError,
  kindOf,
  lineAndColumn,
  parseJson,
} from "../text/json.ts";
import { isText, ownPrograms } from "./plugin-config.ts";

/** The node's own file of node-annotation: `{kubeconfig, nextipam, log}`, every key optional. */
export type NodeAnnotationConfig = { kubeconfig?: string; nextipam?: string; log?: string };

/** Where it lies unless $NODE_ANNOTATION_CFG says otherwise. */
export const defaultConfigFile = "/etc/cni/node-annotation.conf";

const keys = ["kubeconfig", "nextipam", "log"] as const;

/** Throws an Error that says where in the text and what was expected. Keys that nobody reads are passed over, as in the original. */
export function parseNodeAnnotationConfig(text: string): NodeAnnotationConfig {
  const value = parse(text);
  for (const key of keys) {
    const found = value[key];
    if (found !== undefined && !isText(found))
      throw new Error(`${key}: expected a string, found ${kindOf(found)}`);
  }
  const config = Object.fromEntries(keys.flatMap((key) => (value[key] ? [[key, value[key] as string]] : [])));
  const program = (config["nextipam"] ?? "").split("/").at(-1) ?? "";
  if (ownPrograms.includes(program)) throw new Error(`nextipam: ${program} would call itself without end`);
  return config;
}

function parse(text: string): JsonObject {
  try {
    const value = parseJson(text);
    if (isObject(value)) return value;
    throw new Error(`expected a JSON object, found ${kindOf(value)}`);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw new Error(`${lineAndColumn(text, error.position)}: expected ${error.message}`);
  }
}
