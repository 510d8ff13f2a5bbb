import { isObject } from "../text/json.ts";

/** What says why a pod has no address. */
export type PodState = {
  namespace: string;
  name: string;
  node?: string;
  phase: string;
  hostNetwork: boolean;
};

export function readPodState(pod: unknown): PodState {
  const part = (key: string) => (isObject(pod) && isObject(pod[key]) ? pod[key] : {});
  const { namespace, name } = part("metadata");
  const { nodeName, hostNetwork } = part("spec");
  return {
    namespace: String(namespace),
    name: String(name),
    ...(typeof nodeName === "string" && nodeName !== "" && { node: nodeName }),
    phase: String(part("status")["phase"] ?? "Pending"),
    hostNetwork: hostNetwork === true,
  };
}
