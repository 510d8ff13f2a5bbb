import { z } from "zod";
import { fold } from "../text/fold.ts";
import type { JsonObject } from "../text/json.ts";
import {
  isPoolList,
  isPoolType,
  isProgramName,
  isReserved,
  isSet,
  longestTimeout,
  ownKeys,
  ownPrograms,
  rivals,
  shortestTimeout,
  splitConfig,
} from "./plugin-config.ts";

const blank = z.null().or(z.literal(""));
const text = blank.or(z.string().refine((value) => !value.includes("\0"), "expected a string without NUL"));
const seconds = blank.or(z.number().min(0));
const programName = z.string().refine(isProgramName, {
  error: `expected the bare name of a program in CNI_PATH, without "/", and not ${ownPrograms.join(", ")}`,
});

const poolList = blank.or(
  z.string().refine(isPoolList, 'expected the name of a pool, or of two as in "v4pool,v6pool"'),
);
const poolType = blank.or(z.string().refine(isPoolType, "expected ippool or cidrpool"));

/** The same verdicts as plugin-config.ts's quick checks, in words; a property test holds them together. */
const schema = z.object({
  annotation: text.optional(),
  pool: poolList.optional(),
  poolName: poolList.optional(),
  poolType: poolType.optional(),
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
  const own = splitConfig(others)?.own ?? {};
  const { error } = schema.safeParse(own);
  return [
    ...misplaced,
    ...(error?.issues ?? []).flatMap((issue) => faultsOf(issue, others)),
    ...rivals.flatMap(([one, other]) => rivalFaults(one, other, own, others)),
  ];
}

function rivalFaults(one: string, other: string, own: JsonObject, ipam: JsonObject): ConfigFault[] {
  if (!isSet(own[one]) || !isSet(own[other])) return [];
  const words =
    one === "pool"
      ? "the same as pool: write one of them"
      : `beside ${one}: the ranges come from a pool or from an annotation, so write one of them`;
  return [{ path: [spelledIn(ipam, other)], words }];
}

/** The key as it is written there. */
function spelledIn(ipam: JsonObject, name: string): string {
  return Object.keys(ipam).find((key) => fold(key) === fold(name)) ?? name;
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
  return [
    { path: [spelledIn(ipam, String(name)), ...inner], words: issue.message.replace(/^Invalid input: /, "") },
  ];
}

function formatPath(path: ConfigFault["path"]): string {
  return path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : `${text}.${step}`),
    "ipam",
  );
}
