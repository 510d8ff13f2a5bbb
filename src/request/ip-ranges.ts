import { CniError, code } from "../cni/error.ts";
import { fold } from "../text/fold.ts";
import { isObject } from "../text/json.ts";

/** The capability `ipRanges` gives host-local ranges past the Node. */
export function refuseIpRanges(runtimeConfig: unknown): void {
  if (!isObject(runtimeConfig)) return;
  const key = Object.keys(runtimeConfig).find((one) => fold(one) === fold("ipRanges"));
  if (key === undefined) return;
  const reason =
    "host-local would take ranges from there, past the Node's ranges and the gating; annotate the Node instead";
  throw new CniError(code.invalidConfig, `runtimeConfig.${key} is not allowed`, reason);
}
