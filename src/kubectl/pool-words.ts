import { longestPoolName, poolKinds } from "../api/pool-kind.ts";
import { type PoolReference, poolAnnotationKey } from "../api/pool-names.ts";

/** `ippool/NAME` or `cidrpool/NAME`; undefined for anything else. */
export function readPoolWord(word: string): PoolReference | undefined {
  const kind = poolKinds.find((one) => word.startsWith(`${one.toLowerCase()}/`));
  return kind && { kind, name: word.slice(kind.length + 1) };
}

/** A pool as people write it, as the key of its annotation; any other word is a key. */
export function keyOfWord(word: string): string {
  const pool = readPoolWord(word);
  return pool ? poolAnnotationKey(pool) : word;
}

/** What a word may mean: `ippool/a` that pool, `a` the annotation of this key or a pool of this name. */
export function keysOfWord(word: string): string[] {
  const isName = !word.includes("/") && word.length <= longestPoolName;
  if (!isName) return [keyOfWord(word)];
  return [word, ...poolKinds.map((kind) => poolAnnotationKey({ kind, name: word }))];
}
