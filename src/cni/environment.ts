import { quote } from "../text/quote.ts";
import { CniError, code } from "./error.ts";

/** Which attachment a call is for. `netns` is a path; a DEL may come without. */
export type Attachment = { containerID: string; ifname: string; netns?: string };

export type AttachmentVerb = "ADD" | "DEL" | "CHECK";
export type NetworkVerb = "GC" | "STATUS";

/** One call of a runtime as its environment says it (CNI SPEC.md, "Parameters"). `path` are CNI_PATH's folders. */
export type Call =
  | { verb: AttachmentVerb; attachment: Attachment; args: CallArguments; path: string[] }
  | { verb: NetworkVerb; path: string[] }
  | { verb: "VERSION" };

/** CNI_ARGS as `KEY=VALUE` pairs; of a key given twice the first counts. */
export type CallArguments = ReadonlyMap<string, string>;

export type Environment = Readonly<Record<string, string | undefined>>;

const needed = {
  ADD: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"],
  CHECK: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"],
  DEL: ["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"],
  GC: ["CNI_PATH"],
  STATUS: ["CNI_PATH"],
  VERSION: [],
} as const;

export function readCall(env: Environment): Call {
  const verb = readVerb(env);
  if (verb === "VERSION") return { verb };
  const missing = needed[verb].filter((name) => !env[name]);
  if (missing.length > 0) {
    const words = `required env variables [${missing.join(",")}] missing`;
    throw new CniError(code.invalidEnvironment, words, `a container runtime sets them for ${verb}`);
  }
  const path = (env["CNI_PATH"] as string).split(":").filter((folder) => folder !== "");
  if (verb === "GC" || verb === "STATUS") return { verb, path };
  return { verb, attachment: readAttachment(env), args: parseArguments(env["CNI_ARGS"] ?? ""), path };
}

function readVerb(env: Environment): keyof typeof needed {
  const verb = env["CNI_COMMAND"];
  if (verb !== undefined && Object.hasOwn(needed, verb)) return verb as keyof typeof needed;
  const expected = `expected one of ${Object.keys(needed).join(", ")}`;
  if (!verb)
    throw new CniError(code.invalidEnvironment, "required env variables [CNI_COMMAND] missing", expected);
  throw new CniError(code.invalidEnvironment, `unknown CNI_COMMAND: ${quote(verb)}`, expected);
}

/** What a container id and a network's name may be made of (SPEC.md). */
export const identifier = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

function readAttachment(env: Environment): Attachment {
  const containerID = env["CNI_CONTAINERID"] as string;
  if (!identifier.test(containerID)) {
    const expected = "expected letters, digits, '_', '.' and '-', the first a letter or a digit";
    throw malformed("CNI_CONTAINERID", containerID, expected);
  }
  const ifname = env["CNI_IFNAME"] as string;
  if (ifname.length > 15 || ifname === "." || ifname === ".." || /[/:\s\0]/.test(ifname)) {
    const expected = "expected at most 15 characters, not '.' or '..', without '/', ':' and blanks";
    throw malformed("CNI_IFNAME", ifname, expected);
  }
  return { containerID, ifname, ...(env["CNI_NETNS"] && { netns: env["CNI_NETNS"] }) };
}

function malformed(name: string, value: string, expected: string): CniError {
  return new CniError(code.invalidEnvironment, `${name} is malformed: ${quote(value)}`, expected);
}

function parseArguments(text: string): CallArguments {
  const pairs = new Map<string, string>();
  for (const pair of text.split(";")) {
    const equals = pair.indexOf("=");
    const key = pair.slice(0, equals);
    if (equals > 0 && !pairs.has(key)) pairs.set(key, pair.slice(equals + 1));
  }
  return pairs;
}

/** The pod that a call is for, as far as the runtime says it (kubelet's runtimes do). */
export type Pod = { namespace?: string; name?: string; uid?: string };

export function podOf(args: CallArguments): Pod {
  const [namespace, name, uid] = ["K8S_POD_NAMESPACE", "K8S_POD_NAME", "K8S_POD_UID"].map((key) =>
    args.get(key),
  );
  return { ...(namespace && { namespace }), ...(name && { name }), ...(uid && { uid }) };
}
