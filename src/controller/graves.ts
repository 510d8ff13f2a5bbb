/** Answers are under way for seconds. */
const most = 20_000;

/** UIDs of what went: an answer that was under way meanwhile brings nothing back. */
export class Graves {
  readonly #uids = new Set<string>();

  has(uid: string): boolean {
    return this.#uids.has(uid);
  }

  add(uid: string): void {
    this.#uids.add(uid);
    const [first] = this.#uids;
    if (this.#uids.size > most && first !== undefined) this.#uids.delete(first);
  }

  clear(): void {
    this.#uids.clear();
  }
}
