import { z } from "zod";
import { fold } from "../text/fold.ts";
import type { JsonObject } from "../text/json.ts";
import {
  isProgramName,
  isReserved,
  longestTimeout,
  ownKeys,
  ownPrograms,
  shortestTimeout,
  splitConfig,
} from "./plugin-config.ts";

const blank = z.null().or(z.literal(""));
const text = blank.or(z.string().refine((value) => !value.includes("\0"), "expected a string without NUL"));
const seconds = blank.or(z.number().min(0));
const programName = z.string().refine(isProgramName, {
  error: `expected the bare name of a program in CNI_PATH, without "/", and not ${ownPrograms.join(" or ")}`,
});

/** The same verdicts as plugin-config.ts's quick checks, in words; a property test holds them together. */
const schema = z.object({
  annotation: text.optional(),
  dataDir: text.optional(),
  "ipv4-namespaces": blank.or(z.array(z.string().refine((value) => !value.includes("\0")))).optional(),
  kubeconfig: text.optional(),
  logfile: text.optional(),
  loglevel: text.or(z.int()).optional(),
  nodeName: text.optional(),
  cacheTTL: seconds.optional(),
  timeout: blank.or(z.number().min(shortestTimeout).max(longestTimeout)).optional(),
  nextipam: blank.or(programName).optional(),
  type: text.optional(),
});

/** What is wrong at a key of `ipam`, as the key is written there: `["ipv4-namespaces", 1]`. */
export type ConfigFault = { path: (string | number)[]; words: string };

/** One line a fault of an `ipam` that `readConfig` refused, each with its key path. */
export function explainConfig(ipam: JsonObject): string[] {
  return configFaults(ipam).map(({ path, words }) => `${formatPath(path)}: ${words}`);
}

/** All faults of an `ipam`, and none where `readConfig` takes it. */
export function configFaults(ipam: JsonObject): ConfigFault[] {
  const misplaced = Object.keys(ipam).flatMap((key) => misplacedKey(key, ipam));
  const wrong = new Set(misplaced.map(({ path }) => path[0]));
  const others = Object.fromEntries(Object.entries(ipam).filter(([key]) => !wrong.has(key)));
  const { error } = schema.safeParse(splitConfig(others)?.own ?? {});
  return [...misplaced, ...(error?.issues ?? []).flatMap((issue) => faultsOf(issue, others))];
}

function misplacedKey(key: string, ipam: JsonObject): ConfigFault[] {
  if (isReserved(key)) {
    const words =
      "not allowed here, since it would pass by the Node's ranges and the gating; annotate the Node instead";
    return [{ path: [key], words }];
  }
  const name = ownKeys.find((known) => fold(known) === fold(key));
  const twin = Object.keys(ipam).find((other) => other !== key && fold(other) === fold(key));
  return name !== undefined && twin !== undefined
    ? [{ path: [key], words: `the same key as ${twin}: write ${name} once` }]
    : [];
}

function faultsOf(issue: z.core.$ZodIssue, ipam: JsonObject): ConfigFault[] {
  if (issue.code === "invalid_union") {
    // The last member of each union is what the key really takes; the others stand for "absent".
    const meant = issue.errors.at(-1) ?? [];
    return meant.flatMap((inner) =>
      faultsOf({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue, ipam),
    );
  }
  const [name, ...inner] = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
  const written = Object.keys(ipam).find((key) => fold(key) === fold(String(name))) ?? String(name);
  return [{ path: [written, ...inner], words: issue.message.replace(/^Invalid input: /, "") }];
}

function formatPath(path: ConfigFault["path"]): string {
  return path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : `${text}.${step}`),
    "ipam",
  );
}
