import { namespaceID } from "../host/network-namespace.ts";
import { ip } from "./execute.ts";

/** A throw-away network namespace, as a runtime makes one for a pod. */
export type Sandbox = { path: string; remove(): Promise<void> };

/** Makes one; or says why there can be none here. */
export async function makeSandbox(name: string): Promise<Sandbox | { why: string }> {
  if (process.geteuid?.() !== 0) return { why: "only root may make a network namespace" };
  const made = await ip("netns", "add", name);
  if (!made.ok) return { why: `no network namespace could be made: ${made.says}` };
  const path = `/var/run/netns/${name}`;
  await ip("-n", name, "link", "set", "lo", "up");
  return {
    path,
    remove: async () => {
      if (namespaceID(path) !== "gone") await ip("netns", "del", name);
    },
  };
}
