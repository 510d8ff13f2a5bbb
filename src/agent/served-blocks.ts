import { formatIp, parseIp } from "../address/ip.ts";
import type { Span } from "../address/range.ts";
import { makePrivateFolder, readOwn, replaceFile } from "../host/files.ts";
import { defaultDataDir } from "../lease/store.ts";
import { isObject } from "../text/json.ts";

/**
 * A block that this node was seen to have, until nothing of it is leased here and no annotation names it: after a restore of etcd from an
 * old backup this is what is known of it. `told` is how many used addresses its NodeBlock was last told of.
 */
export type ServedBlock = { name: string; subnet: string; span: Span; nodeUID: string; told: number };

/** Beside the networks' folders: no network's name begins with a dot. */
const folder = `${defaultDataDir}/.kube-node/.agent`;
const file = "blocks";

/** The blocks as they are noted on the disk: written on change. */
export type ServedBlocks = { list(): readonly ServedBlock[]; keep(blocks: readonly ServedBlock[]): void };

export function openServedBlocks(): ServedBlocks {
  let blocks: readonly ServedBlock[] = readServedBlocks();
  return {
    list: () => blocks,
    keep(next) {
      const isSame = format(next) === format(blocks);
      blocks = next;
      if (isSame) return;
      makePrivateFolder(folder);
      replaceFile(folder, file, format(next));
    },
  };
}

/** None where there is no such file, or it is damaged: then the next annotation tells. */
function readServedBlocks(): ServedBlock[] {
  const text = readOwn(`${folder}/${file}`)?.text ?? "";
  try {
    const value: unknown = JSON.parse(text);
    const list =
      isObject(value) && value["version"] === 1 && Array.isArray(value["blocks"]) ? value["blocks"] : [];
    return list.flatMap((one: unknown) => readBlock(one) ?? []);
  } catch {
    return [];
  }
}

function format(blocks: readonly ServedBlock[]): string {
  const list = blocks.map(({ span, ...rest }) => ({
    ...rest,
    first: formatIp(span.first),
    last: formatIp(span.last),
  }));
  return `${JSON.stringify({ version: 1, blocks: list })}\n`;
}

function readBlock(value: unknown): ServedBlock | undefined {
  if (!isObject(value)) return undefined;
  const { name, subnet, nodeUID, told } = value;
  const first = parseIp(String(value["first"]));
  const last = parseIp(String(value["last"]));
  if (typeof name !== "string" || typeof subnet !== "string" || typeof nodeUID !== "string") return undefined;
  if (typeof told !== "number" || !first || !last) return undefined;
  return { name, subnet, span: { first, last }, nodeUID, told };
}
