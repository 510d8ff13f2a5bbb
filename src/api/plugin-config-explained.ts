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

/** One line a fault of an `ipam` that `readConfig` refused, each with its key path. */
export function explainConfig(ipam: JsonObject): string[] {
  const own = splitConfig(ipam)?.own;
  if (!own) return Object.keys(ipam).flatMap((key) => misplacedKey(key, ipam));
  const { error } = schema.safeParse(own);
  return (error?.issues ?? []).flatMap(explainIssue);
}

function misplacedKey(key: string, ipam: JsonObject): string[] {
  if (isReserved(key))
    return [
      `ipam.${key}: not allowed here, since it would pass by the Node's ranges and the gating; annotate the Node instead`,
    ];
  const name = ownKeys.find((known) => fold(known) === fold(key));
  const twin = Object.keys(ipam).find((other) => other !== key && fold(other) === fold(key));
  return name !== undefined && twin !== undefined
    ? [`ipam.${key}: the same key as ${twin}: write ${name} once`]
    : [];
}

function explainIssue(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.reduce<string>(
    (path, key) => (typeof key === "number" ? `${path}[${key}]` : `${path}.${String(key)}`),
    "ipam",
  );
  if (issue.code !== "invalid_union") return [`${path}: ${issue.message.replace(/^Invalid input: /, "")}`];
  // The last member of each union is what the key really takes; the others stand for "absent".
  const meant = issue.errors.at(-1) ?? [];
  return meant.flatMap((inner) =>
    explainIssue({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue),
  );
}
