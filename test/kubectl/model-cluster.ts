import { ApiError } from "../../src/kube/api-error.ts";
import type { Client } from "../../src/kube/client.ts";
import type { JsonObject } from "../../src/text/json.ts";

type Stored = {
  metadata: JsonObject & { name: string; uid: string; resourceVersion: string };
  data?: unknown;
};
type Patch = {
  metadata: { uid?: string; resourceVersion?: string; annotations: Record<string, string | null> };
};

/** Lets a step happen at a time that somebody else chooses. */
export type Schedule = <T>(what: string, step: () => T) => Promise<T>;

/**
 * What the API server promises of objects: one version counts all changes, a write with another version or UID than the object's
 * is a conflict, what changes nothing is no change. Each Node is labelled with its name. Each request is one step, whose time `schedule` chooses.
 */
export class ModelCluster {
  readonly objects = new Map<string, Stored>();
  #version = 0;
  #uids = 0;

  create(path: string, metadata: JsonObject & { name: string }, data?: unknown): Stored {
    if (this.objects.has(`${path}/${metadata.name}`)) throw refusal(409);
    const uid = `uid-${++this.#uids}`;
    const stored = { metadata: { ...metadata, uid, resourceVersion: this.#next() }, data };
    this.objects.set(`${path}/${metadata.name}`, stored);
    return stored;
  }

  annotate(path: string, { metadata: { uid, resourceVersion, annotations } }: Patch): Stored {
    const { metadata, ...rest } = this.get(path);
    const expected = [uid ?? metadata.uid, resourceVersion ?? metadata.resourceVersion].join(" ");
    if (expected !== [metadata.uid, metadata.resourceVersion].join(" ")) throw refusal(409);
    const merged = { ...((metadata["annotations"] as object) ?? {}), ...annotations };
    const left = Object.fromEntries(Object.entries(merged).filter(([, text]) => text !== null));
    if (JSON.stringify(left) === JSON.stringify(metadata["annotations"] ?? {})) return { metadata, ...rest };
    const stored = { ...rest, metadata: { ...metadata, annotations: left, resourceVersion: this.#next() } };
    this.objects.set(path, stored);
    return stored;
  }

  get(path: string): Stored {
    const stored = this.objects.get(path);
    if (!stored) throw refusal(404);
    return structuredClone(stored);
  }

  /** A client whose every request waits for its turn. */
  client(name: string, schedule: Schedule): Client {
    const step = <T>(what: string, act: () => unknown) =>
      schedule(`${name} ${what}`, () => attempt(act)).then(({ value, error }) => {
        if (error) throw error;
        return value as T;
      });
    return {
      connection: undefined as never,
      get: (path) => step(`get ${path}`, () => this.get(path)),
      create: (path, body) => {
        const { metadata, data } = body as { metadata: Stored["metadata"]; data: unknown };
        return step(`create ${path}`, () => this.create(path, metadata, data));
      },
      replace: (path, body) => step(`replace ${path}`, () => this.#replace(path, body as Stored)),
      patch: (path, body) => step(`patch ${path}`, () => this.annotate(path, body as Patch)),
      remove: () => Promise.reject(new Error("not needed")),
      list: async (path, pick, { labelSelector } = {}) => {
        const all = await step<Stored[]>(`list ${path}`, () => this.#list(path));
        const chosen = all.filter(
          ({ metadata }) => !labelSelector || labelSelector === `name=${metadata.name}`,
        );
        return chosen.flatMap((one) => pick(one) ?? []);
      },
      open: () => Promise.reject(new Error("not needed")),
      close: () => {},
    };
  }

  #replace(path: string, { metadata, data }: Stored): Stored {
    const old = this.get(path);
    if (old.metadata.resourceVersion !== metadata.resourceVersion) throw refusal(409);
    const stored = { metadata: { ...metadata, uid: old.metadata.uid, resourceVersion: this.#next() }, data };
    this.objects.set(path, stored);
    return structuredClone(stored);
  }

  #list(path: string): Stored[] {
    if (path.includes("servicecidrs")) throw refusal(404);
    const all = [...this.objects].filter(([name]) => name.startsWith(`${path}/`));
    return structuredClone(all.map(([, stored]) => stored));
  }

  #next(): string {
    return String(++this.#version);
  }
}

function refusal(status: number): ApiError {
  return new ApiError({ reason: `refused (${status})`, status });
}

/** The schedule is to see no rejections: they are the runs'. */
function attempt(act: () => unknown): { value?: unknown; error?: unknown } {
  try {
    return { value: act() };
  } catch (error) {
    return { error };
  }
}
