// Runs one exported function of src under Node or Bun for a test: `call.ts MODULE NAME ARGUMENTS…`, each argument JSON. Prints
// the outcome as JSON. With $GO, it says that it is ready by making the file $READY, and waits until the file $GO is there.
import { existsSync, writeFileSync } from "node:fs";
import { writeAll } from "../../src/host/files.ts";

const [module = "", name = "", ...words] = process.argv.slice(2);
const functions = (await import(new URL(`../../src/${module}`, import.meta.url).href)) as {
  [name: string]: (...args: unknown[]) => unknown;
};
const args = words.map((word) => JSON.parse(word) as unknown);
const { READY: ready, GO: go } = process.env;
if (ready && go) {
  writeFileSync(ready, "");
  while (!existsSync(go)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
}
const outcome = await run();
writeAll(1, JSON.stringify(outcome));
process.exit(0);

async function run(): Promise<object> {
  try {
    return { value: await functions[name]?.(...args) };
  } catch (error) {
    const { code, message, details, name } = error as NodeJS.ErrnoException & { details?: string };
    return { error: { code, message, details, name } };
  }
}
