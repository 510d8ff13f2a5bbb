import { UsageError } from "../daemon/usage-error.ts";
import { writeAll } from "../host/files.ts";
import { runCommandLine } from "./command-line.ts";
import { run } from "./run.ts";
import type { WebhookStart } from "./serve-webhook.ts";

/** `kube-node-controller WORDS`; `startWebhook` is loaded where a flag asks for it. 0 ended as told, 1 something went wrong, 2 a mistake in flags or environment. */
export async function runController(
  words: string[],
  startWebhook: () => Promise<WebhookStart>,
): Promise<number> {
  try {
    return await runCommandLine(
      words,
      (config) => run(config, startWebhook),
      (text) => writeAll(1, `${text}\n`),
    );
  } catch (error) {
    writeAll(2, `kube-node-controller: ${(error as Error).message}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}
