import type { Inventory } from "../lease/inventory.ts";
import { byContainer } from "./find-holdings.ts";
import { shorten } from "./holding-words.ts";
import { UsageError } from "./usage-error.ts";

/** Ids of containers that hold something here; `complete` is false where some network could not be read. */
export type Holders = { ids: readonly string[]; complete: boolean };

/** Those that hold something in these networks. */
export function idsOf(inventories: readonly Inventory[]): string[] {
  return inventories.flatMap(({ holdings }) => holdings.map(({ containerID }) => containerID));
}

/**
 * The whole ids of the containers of which a person says in --gone that they are gone. What they hold is freed for that, so a word that
 * means none, or may mean another one, is a UsageError.
 */
export function findGone(words: readonly string[], { ids, complete }: Holders): Set<string> {
  const all = [...new Set(ids)];
  return new Set(words.map((word) => findOne(word, all, complete)));
}

function findOne(word: string, ids: readonly string[], complete: boolean): string {
  const [found, ...more] = byContainer(word, ids, (id) => id);
  if (found === undefined) {
    const where = complete ? "here" : "that could be read";
    throw refuse(word, `no container with this id, or one that begins so, holds anything ${where}`);
  }
  if (more.length > 0) throw refuse(word, `several containers' ids begin so: ${nameSome([found, ...more])}`);
  if (found !== word && !complete)
    throw refuse(
      word,
      "a network could not be read, which may have another that begins so: write the id whole",
    );
  return found;
}

function refuse(word: string, why: string): UsageError {
  return new UsageError(`--gone=${word}: ${why}; nothing was changed`);
}

/** As many as fit on a line: the shown form, and of ids that are alike in that form the whole. */
function nameSome(ids: readonly string[]): string {
  const isShort = new Set(ids.map(shorten)).size === ids.length;
  const named = ids.slice(0, 4).map((id) => (isShort ? shorten(id) : id));
  return [...named, ...(ids.length > 4 ? [`${ids.length - 4} more`] : [])].join(", ");
}
