import { type PluginConfig, readConfig } from "../api/plugin-config.ts";
import { CniError, code } from "../cni/error.ts";
import { isObject, type JsonObject, kindOf } from "../text/json.ts";

/** `ipam` of a network configuration. */
export function ipamOf(raw: JsonObject): JsonObject {
  const { ipam } = raw;
  if (isObject(ipam)) return ipam;
  const found = `ipam: expected an object, found ${kindOf(ipam)}`;
  throw new CniError(code.invalidConfig, "network configuration without ipam", found);
}

/** Its keys, checked; what is wrong with them is worked out only where something is. */
export async function checkIpam(ipam: JsonObject): Promise<{ config: PluginConfig; rest: JsonObject }> {
  const read = readConfig(ipam);
  if (read) return read;
  const { explainConfig } = await import("../api/plugin-config-explained.ts");
  throw new CniError(code.invalidConfig, "ipam configuration is malformed", explainConfig(ipam).join("; "));
}
