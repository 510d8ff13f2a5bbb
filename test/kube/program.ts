// Runs src/kube under Node or Bun for a test: a call a line on standard input, its outcome a line on standard output.
import { createInterface } from "node:readline";
import { type Choice, readConnection } from "../../src/kube/connection.ts";
import { nodeNameOf } from "../../src/kube/identity.ts";
import { getNode, listNodesByMachineID } from "../../src/kube/node.ts";
import { get } from "../../src/kube/request.ts";

type Limits = { milliseconds: number; maxBytes: number };

const calls = {
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
