import type { Command } from "commander";
import type { Overrides } from "../kube/overrides.ts";
import { UsageError } from "./usage-error.ts";

/** kubectl's own flags, which stand before or behind a command. */
export type GlobalFlags = Overrides & { requestTimeout?: string };

const flags: [string, string][] = [
  ["--kubeconfig <file>", "the kubeconfig (default: $KUBECONFIG, ~/.kube/config)"],
  ["--context <name>", "the kubeconfig's context"],
  ["--cluster <name>", "the kubeconfig's cluster"],
  ["--user <name>", "the kubeconfig's user"],
  ["-n, --namespace <name>", "the namespace of pods that are named without one"],
  ["-s, --server <url>", "the API server's address"],
  ["--token <token>", "a bearer token"],
  ["--certificate-authority <file>", "the authority of the API server's certificate"],
  ["--client-certificate <file>", "a client certificate"],
  ["--client-key <file>", "its key"],
  ["--insecure-skip-tls-verify", "don't verify the API server's certificate"],
  ["--tls-server-name <name>", "the name that the API server's certificate is to have"],
  ["--as <user>", "the user to act as"],
  ["--as-uid <uid>", "that user's UID"],
  ["--request-timeout <time>", "for a single request: 5s, 2m, 1h; 0 for no limit (default: 60s)"],
];

export function addGlobalFlags(program: Command): Command {
  for (const [flag, words] of flags) program.option(flag, words);
  return program.option("--as-group <group>", "a group to act as", (value, all: string[] = []) => [
    ...all,
    value,
  ]);
}

/** A flag with nothing in it is none, as kubectl has it. */
export function overridesOf({ requestTimeout: _, ...overrides }: GlobalFlags): Overrides {
  return Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== ""));
}

const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, "": 1000 };
const longestTimer = 2 ** 31 - 1;

/** Milliseconds; a number without a unit is seconds, as in kubectl. */
export function timeoutOf({ requestTimeout: text }: GlobalFlags): number | undefined {
  if (text === undefined) return undefined;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|$)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text)
    throw new UsageError(`--request-timeout ${text}: expected a time such as 5s, 2m or 1h30m`);
  const milliseconds = parts.reduce((sum, [, n, unit]) => sum + Number(n) * (units[unit ?? ""] ?? 0), 0);
  return milliseconds === 0 ? longestTimer : Math.min(milliseconds, longestTimer);
}
