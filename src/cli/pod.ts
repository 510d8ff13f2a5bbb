import type { Pod } from "../cni/environment.ts";
import { text } from "./command.ts";
import { UsageError } from "./usage-error.ts";

/** Flags that say which pod an ADD would be for. */
export const podInputs = {
  namespace: text("NS", "the pod's namespace, as ipam.ipv4-namespaces has it"),
  pod: text("NAME", "the pod's name, or NAMESPACE/NAME"),
} as const;

export function readPod(given: { namespace: string | undefined; pod: string | undefined }): Pod {
  const [name, before, ...more] = (given.pod ?? "").split("/").reverse();
  if (
    more.length > 0 ||
    (before !== undefined && given.namespace !== undefined && before !== given.namespace)
  )
    throw new UsageError(`--pod=${given.pod}: expected NAME or NAMESPACE/NAME, of one namespace`);
  const namespace = given.namespace ?? before;
  return { ...(namespace && { namespace }), ...(name && { name }) };
}
