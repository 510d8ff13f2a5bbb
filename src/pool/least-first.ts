/** Numbers, the least of which comes first; each is in it once. */
export class LeastFirst {
  #heap: bigint[] = [];
  #known = new Set<bigint>();

  add(value: bigint): void {
    if (this.#known.has(value)) return;
    this.#known.add(value);
    const heap = this.#heap;
    let at = heap.push(value) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if ((heap[above] as bigint) <= value) break;
      heap[at] = heap[above] as bigint;
      at = above;
    }
    heap[at] = value;
  }

  /** Takes the least one out. */
  take(): bigint | undefined {
    const heap = this.#heap;
    const least = heap[0];
    const end = heap.pop();
    if (least === undefined || end === undefined) return undefined;
    this.#known.delete(least);
    if (heap.length > 0) this.#sink(end);
    return least;
  }

  /** Puts a value on the top, and down to its place. */
  #sink(value: bigint): void {
    const heap = this.#heap;
    let at = 0;
    for (let below = 1; below < heap.length; below = 2 * at + 1) {
      if (below + 1 < heap.length && (heap[below + 1] as bigint) < (heap[below] as bigint)) below++;
      if ((heap[below] as bigint) >= value) break;
      heap[at] = heap[below] as bigint;
      at = below;
    }
    heap[at] = value;
  }
}
