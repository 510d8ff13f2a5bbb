import { type PoolReference, poolAnnotationKey } from "../api/pool-names.ts";
import type { PoolObjects } from "../survey/pool-objects.ts";
import { labelOfKey } from "../survey/pool-ranges.ts";
import { viewPool } from "../survey/pool-view.ts";
import type { Survey } from "../survey/survey.ts";
import { nearest } from "../text/nearest.ts";
import { readPoolWord } from "./pool-words.ts";

/** A sentence on a pool, as `NAME` or `KIND/NAME`, that there isn't; `known` are those that there are. */
export function describeNoSuchPool(word: string, known: readonly PoolReference[]): string {
  return `there is no pool ${word}${hintAt(word, known)}: kubectl get ippools,cidrpools lists them`;
}

/** ` (did you mean "ippool/net1"?)`, or nothing where none is near. */
export function hintAt(word: string, known: readonly PoolReference[]): string {
  const names = known.map(({ name }) => name);
  const name = nearest(readPoolWord(word)?.name ?? word, names);
  const meant = known.find((pool) => pool.name === name);
  return meant ? ` (did you mean "${labelOfKey(poolAnnotationKey(meant))}"?)` : "";
}

/** A sentence where none of `pools`, which `word` may mean, is there: by an object (ours, or one that we serve), a NodeBlock or an annotation. */
export function findNoSuchPool(
  word: string,
  pools: PoolReference[],
  survey: Survey,
  objects: PoolObjects,
): string | undefined {
  if (pools.some((pool) => viewPool(survey, objects, pool))) return undefined;
  return describeNoSuchPool(word, objects.pools);
}
