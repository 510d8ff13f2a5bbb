import { CniError, code } from "../cni/error.ts";
import { isErrno, readText } from "../host/files.ts";
import { findYamlFault, parseYaml } from "../host/runtime.ts";
import { isObject, kindOf } from "../text/json.ts";
import { complain, type Section, sectionAt, sectionsAt, textAt } from "./section.ts";

/** The parts of a kubeconfig that a context chooses. */
export type Chosen = { file: string; context: string; cluster: Section; user: Section; namespace?: string };

/** Names that somebody gives in the place of those in the file. */
export type Named = { context?: string; cluster?: string; user?: string };

const longestFile = 16 << 20;

/** One kubeconfig; undefined where there is no such file. `file` is a path as people should read it in errors. */
export async function readKubeconfig(file: string): Promise<Section | undefined> {
  const text = readKubeconfigText(file);
  if (text === undefined) return undefined;
  let values: unknown;
  try {
    values = (await parseYaml(text)) ?? {};
  } catch {
    const fault = (await findYamlFault(text)) ?? "it is malformed, or an alias (*) has no anchor (&)";
    throw new CniError(code.invalidConfig, `${file}: ${fault}`, "a kubeconfig is YAML or JSON");
  }
  if (!isObject(values)) {
    const fault = Array.isArray(values) ? await findYamlFault(text) : undefined;
    const words = fault ?? `expected a mapping, found ${kindOf(values)}`;
    throw new CniError(code.invalidConfig, `${file}: ${words}`, "it is no kubeconfig");
  }
  const whole: Section = { file, path: "", values };
  checkKind(whole, "kind", "Config");
  checkKind(whole, "apiVersion", "v1");
  return whole;
}

function readKubeconfigText(file: string): string | undefined {
  try {
    return readText(file, longestFile);
  } catch (error) {
    throw new CniError(code.invalidConfig, `${file}: the kubeconfig can't be read: ${reasonOf(error)}`);
  }
}

/** Why a file can't be read, in words that hold nothing of it. */
export function reasonOf(error: unknown): string {
  if (isErrno(error, "EISDIR")) return "it is a folder";
  if (isErrno(error, "EACCES", "EPERM")) return `user ${process.geteuid?.()} may not read it`;
  if (error instanceof RangeError) return error.message;
  return (error as NodeJS.ErrnoException).code ?? "an unknown reason";
}

/** A kubeconfig that is there but says nothing, as `kubectl config unset` can leave it. */
export function isEmpty(whole: Section): boolean {
  const lists = ["clusters", "contexts", "users"].flatMap((key) => sectionsAt(whole, key));
  return lists.length === 0 && textAt(whole, "current-context") === undefined;
}

/** Of several files the first that has a name, or a current-context, wins, as in kubectl. There must be one at least. */
export function chooseContext(files: [Section, ...Section[]], named: Named = {}): Chosen {
  const contexts = collect(files, "contexts", "context");
  const [name, context] =
    named.context === undefined ? current(files, contexts) : given(named.context, contexts);
  const namespace = textAt(context, "namespace");
  return {
    file: context.file,
    context: name,
    cluster: follow(context, "cluster", collect(files, "clusters", "cluster"), named.cluster),
    user: follow(context, "user", collect(files, "users", "user"), named.user),
    ...(namespace !== undefined && { namespace }),
  };
}

function current(files: [Section, ...Section[]], contexts: Map<string, Section>): [string, Section] {
  const holder = files.find((file) => textAt(file, "current-context") !== undefined);
  if (!holder) throw missingContext(files[0], [...contexts.keys()]);
  const name = textAt(holder, "current-context") as string;
  const context = contexts.get(name);
  if (context) return [name, context];
  throw complain(holder, "current-context", ` ${quote(name)} is not among contexts${listed(contexts)}`);
}

function given(name: string, contexts: Map<string, Section>): [string, Section] {
  const context = contexts.get(name);
  if (context) return [name, context];
  throw new CniError(code.invalidConfig, `--context ${quote(name)} is not among contexts${listed(contexts)}`);
}

function follow(context: Section, key: string, known: Map<string, Section>, wanted?: string): Section {
  const name = wanted ?? textAt(context, key);
  if (name === undefined) throw complain(context, key, " is missing", `name one of ${key}s${listed(known)}`);
  const found = known.get(name);
  if (found) return found;
  if (wanted === undefined)
    throw complain(context, key, ` ${quote(name)} is not among ${key}s${listed(known)}`);
  throw new CniError(code.invalidConfig, `--${key} ${quote(name)} is not among ${key}s${listed(known)}`);
}

function collect(files: Section[], list: string, key: string): Map<string, Section> {
  const named = new Map<string, Section>();
  for (const file of files) {
    const own = new Set<string>();
    for (const item of sectionsAt(file, list)) {
      const name = textAt(item, "name");
      if (name === undefined) throw complain(item, "name", " is missing");
      if (own.has(name))
        throw complain(item, "name", ` ${quote(name)} is there twice`, "kubectl refuses it, too");
      own.add(name);
      const content = sectionAt(item, key) ?? { file: item.file, path: `${item.path}.${key}`, values: {} };
      if (!named.has(name)) named.set(name, content);
    }
  }
  return named;
}

function missingContext(file: Section, names: string[]): CniError {
  const remedy = "choose one with kubectl config use-context NAME";
  return complain(
    file,
    "current-context",
    ` is missing`,
    `${remedy}: ${names.map(quote).join(", ") || "there are no contexts"}`,
  );
}

function checkKind(whole: Section, key: string, expected: string): void {
  const found = textAt(whole, key) ?? expected;
  if (found !== expected)
    throw complain(whole, key, `: expected ${expected}, found ${quote(found)}`, "it is no kubeconfig");
}

function quote(name: string): string {
  return JSON.stringify(name.slice(0, 80));
}

function listed(named: Map<string, Section>): string {
  const names = [...named.keys()];
  const shown = names.slice(0, 10).join(", ") + (names.length > 10 ? ", …" : "");
  return names.length === 0 ? " (there are none)" : ` (${shown})`;
}
