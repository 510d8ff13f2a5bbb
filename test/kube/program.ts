// Runs src/kube under Node or Bun for a test: a call a line on standard input, its outcome a line on standard output.
import { createInterface } from "node:readline";
import type { ApiError } from "../../src/kube/api-error.ts";
import { eachAtOnce } from "../../src/kube/at-once.ts";
import { type Client, type ClientOptions, createClient, type patchType } from "../../src/kube/client.ts";
import { type Choice, type Connection, readConnection } from "../../src/kube/connection.ts";
import { nodeNameOf } from "../../src/kube/identity.ts";
import { getNode, listNodesByMachineID } from "../../src/kube/node.ts";
import { get } from "../../src/kube/request.ts";

/** A request of a client's: `list` keeps the names of items. */
export type Step =
  | { get: string }
  | { list: string; pageSize?: number }
  | { create: string; body: object }
  | { replace: string; body: object }
  | { patch: string; body: object; type: keyof typeof patchType }
  | { remove: string };

/** Steps one after the other, `atOnce` of them at a time; what each gave, or its error. */
async function useClient(connection: Connection, options: ClientOptions, steps: Step[], atOnce = 1) {
  const client = await createClient(connection, options);
  const outcomes = await eachAtOnce(steps, atOnce, (step) =>
    take(client, step).then(
      (value) => ({ value }),
      ({ message, status, reason }: ApiError) => ({ error: { message, status, reason } }),
    ),
  );
  client.close();
  return outcomes;
}

function take(client: Client, step: Step): Promise<unknown> {
  if ("get" in step) return client.get(step.get);
  if ("list" in step) {
    const pick = (item: unknown) => (item as { metadata: { name: string } }).metadata.name;
    return client.list(step.list, pick, step.pageSize ? { pageSize: step.pageSize } : {});
  }
  if ("create" in step) return client.create(step.create, step.body);
  if ("replace" in step) return client.replace(step.replace, step.body);
  if ("patch" in step) return client.patch(step.patch, step.body, step.type);
  return client.remove(step.remove);
}

/** An answer read to its end: its text. */
async function readStream(connection: Connection, path: string): Promise<string> {
  const client = await createClient(connection);
  try {
    const { body } = await client.open(path, new AbortController().signal);
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    return Buffer.concat(chunks).toString("utf8");
  } finally {
    client.close();
  }
}

type Limits = { milliseconds: number; maxBytes: number };

const calls = {
  useClient,
  readStream,
  readConnection: (choice: Choice & { milliseconds?: number }) =>
    readConnection({ ...choice, ...(choice.milliseconds && { deadline: Date.now() + choice.milliseconds }) }),
  nodeNameOf,
  get: (...[connection, path, limits]: [Parameters<typeof get>[0], string, Limits]) =>
    get(connection, path, until(limits)),
  getNode: (...[connection, name, limits]: [Parameters<typeof get>[0], string, Limits]) =>
    getNode(connection, name, until(limits)),
  listNodesByMachineID: (...[connection, ids, limits]: [Parameters<typeof get>[0], string[], Limits]) =>
    listNodesByMachineID(connection, ids, until(limits)),
};

export type Calls = typeof calls;

/** What a call gave, or the error that it threw; `milliseconds` is how long it took. */
export type Outcome = {
  value?: unknown;
  error?: { code?: number; message: string; details?: string };
  milliseconds: number;
};

function until({ milliseconds, maxBytes }: Limits): { deadline: number; maxBytes: number } {
  return { deadline: Date.now() + milliseconds, maxBytes };
}

async function answer(line: string): Promise<void> {
  const { id, name, args } = JSON.parse(line) as { id: number; name: keyof Calls; args: never[] };
  const call = calls[name] as (...args: never[]) => Promise<unknown>;
  const start = performance.now();
  const outcome = await call(...args).then(
    (value) => ({ value }),
    ({ code, message, details }: { code?: number; message: string; details?: string }) => ({
      error: { code, message, details },
    }),
  );
  process.stdout.write(`${JSON.stringify({ id, ...outcome, milliseconds: performance.now() - start })}\n`);
}

for await (const line of createInterface({ input: process.stdin })) void answer(line);
