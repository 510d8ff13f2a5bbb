import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { canary, type World } from "./bad-input.ts";

type Kubeconfig = {
  clusters: { name: string; cluster: Record<string, unknown> }[];
  users: { name: string; user: Record<string, unknown> }[];
  contexts: { name: string; context: Record<string, unknown> }[];
} & Record<string, unknown>;

/** The call with a kubeconfig of its own: a text, or a change of a good one for a ServiceAccount whose token is a canary. */
export function kubeconfig(
  make: string | ((good: Kubeconfig, folder: string, world: World) => void | Promise<void>),
) {
  return async (world: World, folder: string) => {
    const path = join(folder, "own-kubeconfig");
    const good = parse(await world.server.kubeconfigFor({ kind: "anonymous" })) as Kubeconfig;
    good.users = [{ name: "test", user: { token: `${canary}-token` } }];
    if (typeof make !== "string") await make(good, folder, world);
    writeFileSync(path, typeof make === "string" ? make : stringify(good), { mode: 0o600 });
    return { ipam: { kubeconfig: path, timeout: 4 }, network: { name: "unknown" } };
  };
}

export const user = (values: Record<string, unknown>) =>
  kubeconfig((good) => {
    good.users = [{ name: "test", user: values }];
  });

export const cluster = (values: Record<string, unknown>) =>
  kubeconfig((good) => {
    Object.assign(good.clusters[0]?.cluster ?? {}, values);
  });

export const exec = (script: string) =>
  kubeconfig((good, folder) => {
    const command = join(folder, "credential-plugin");
    writeFileSync(command, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const apiVersion = "client.authentication.k8s.io/v1";
    good.users = [{ name: "test", user: { exec: { apiVersion, command, interactiveMode: "Never" } } }];
  });

export const client = (issue: (world: World) => Promise<{ certificate: string; key: string }>) =>
  kubeconfig(async (good, _, world) => {
    const { certificate, key } = await issue(world);
    const data = { "client-certificate-data": base64(certificate), "client-key-data": base64(key) };
    good.users = [{ name: "test", user: data }];
  });

export const base64 = (text: string) => Buffer.from(text).toString("base64");
