import { formatCidr } from "../address/cidr.ts";
import { ApiError, isStatus, unlessAbsent } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import type { Holder } from "../split/committed-plan.ts";
import type { Assignment } from "../split/plan.ts";
import { quote } from "../text/quote.ts";
import { readFacts } from "./split-cluster.ts";

/**
 * What became of a Node: `written`; `there` already, by another run; `gone`; `changed` meanwhile by somebody, and so left alone;
 * `failed`. `words` say it for people.
 */
export type Outcome = {
  state: "written" | "there" | "gone" | "changed" | "failed";
  words: string;
  /** No other Node would fare better. */
  isHopeless?: true;
};

export type Writer = {
  client: Client;
  key: string;
  dryRun: boolean;
  /** Commits the plan once more, and says who holds what by it; begins after it was asked for. */
  confirm(): Promise<ReadonlyMap<string, Holder>>;
};

type Write = Assignment & { annotation: string };

const attempts = 10;

/** What any other Node would meet as well: no answer, not known (401), not allowed (403), not understood (422). */
const hopeless = [undefined, 401, 403, 422];

/**
 * Writes a Node's annotation, if the Node is still as it was when the plan was confirmed. Where it has changed, it is read anew, and
 * then the plan is committed anew: a run that read the plan before can't take the block away any more, and one that reads it after
 * sees this Node as it is now, or changed, so that this write fails (docs/decisions/0009).
 */
export async function writeBlock(writer: Writer, write: Write, resourceVersion: string): Promise<Outcome> {
  let version = resourceVersion;
  try {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      if (await patch(writer, write, version))
        return { state: "written", words: `annotated ${write.annotation}` };
      const next = await lookAgain(writer, write);
      if (typeof next !== "string") return next;
      version = next;
    }
    return { state: "failed", words: `others changed it ${attempts} times while it was to be written` };
  } catch (error) {
    const isHopeless = error instanceof ApiError && hopeless.includes(error.status);
    return { state: "failed", words: (error as Error).message, ...(isHopeless && { isHopeless }) };
  }
}

/** The version that may be written now, or why none may. */
async function lookAgain(writer: Writer, write: Write): Promise<string | Outcome> {
  const node = await readNode(writer, write.name);
  if (node?.uid !== write.uid) return { state: "gone", words: node ? "it was made again" : "it was deleted" };
  if (node.annotation === write.annotation) return { state: "there", words: "another run has written it" };
  if (node.annotation !== write.was)
    return {
      state: "changed",
      words: `its annotation is ${quote(node.annotation ?? "")} by now: left as it is`,
    };
  const holder = (await writer.confirm()).get(write.uid);
  if (blocksOf(holder) === blocksOf(write)) return node.resourceVersion;
  return { state: "changed", words: "the plan gives it other blocks by now" };
}

/** Whether it was written: not so where the Node has changed, or isn't there. */
async function patch(
  { client, key, dryRun }: Writer,
  write: Write,
  resourceVersion: string,
): Promise<boolean> {
  const { name, uid, annotation } = write;
  const metadata = { uid, resourceVersion, annotations: { [key]: annotation } };
  try {
    await client.patch(`${pathOf(name)}${dryRun ? "?dryRun=All" : ""}`, { metadata }, "merge");
    return true;
  } catch (error) {
    if (isStatus(error, 409, 404)) return false;
    throw error;
  }
}

async function readNode({ client, key }: Writer, name: string) {
  const found = await unlessAbsent(client.get(pathOf(name)));
  return found === undefined ? undefined : readFacts(found, key);
}

function pathOf(name: string): string {
  return `/api/v1/nodes/${encodeURIComponent(name)}`;
}

function blocksOf(one: Pick<Holder, "blocks"> | undefined): string {
  return (one?.blocks ?? []).map(formatCidr).join(",");
}
