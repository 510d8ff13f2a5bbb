/** What is to be worked on, each key once, however often it was asked for meanwhile; never two at a time for one key. */
export type Queue = {
  add(key: string): void;
  /** Once this time (milliseconds) is over, unless it is worked on before: then whoever works decides anew. */
  addLater(key: string, afterMs: number): void;
  /** Resolves when work stopped: `stop` was called, and who was at work is done. */
  run(workers: number, work: (key: string) => Promise<void>): Promise<void>;
  stop(): void;
  length(): number;
};

export type QueueWatch = {
  onDone?: (key: string, seconds: number) => void;
  onFailure?: (key: string, error: unknown, pauseMs: number) => void;
};

const firstPause = 50;
const longestPause = 60_000;

/** A key whose work failed comes again after a pause that grows from failure to failure, with jitter. */
export function makeQueue({ onDone, onFailure }: QueueWatch = {}): Queue {
  const waiting = new Map<string, number>();
  const busy = new Set<string>();
  const again = new Set<string>();
  const timers = new Map<string, { timer: NodeJS.Timeout; due: number }>();
  const failures = new Map<string, number>();
  const sleepers: (() => void)[] = [];
  let stopped = false;

  function add(key: string): void {
    if (stopped) return;
    forgetTimer(key);
    if (busy.has(key)) {
      again.add(key);
      return;
    }
    if (!waiting.has(key)) waiting.set(key, performance.now());
    sleepers.pop()?.();
  }

  function addLater(key: string, afterMs: number): void {
    const due = performance.now() + afterMs;
    const known = timers.get(key);
    if (stopped || (known && known.due <= due)) return;
    forgetTimer(key);
    const timer = setTimeout(() => add(key), Math.min(afterMs, 2 ** 31 - 1));
    timers.set(key, { timer, due });
  }

  function forgetTimer(key: string): void {
    clearTimeout(timers.get(key)?.timer);
    timers.delete(key);
  }

  async function handle(key: string, since: number, work: (key: string) => Promise<void>): Promise<void> {
    busy.add(key);
    try {
      await work(key);
      failures.delete(key);
      onDone?.(key, (performance.now() - since) / 1000);
    } catch (error) {
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      const pauseMs =
        Math.min(longestPause, firstPause * 2 ** Math.min(count, 20)) * (0.5 + Math.random() / 2);
      onFailure?.(key, error, pauseMs);
      addLater(key, pauseMs);
    } finally {
      busy.delete(key);
      if (again.delete(key)) add(key);
    }
  }

  async function worker(work: (key: string) => Promise<void>): Promise<void> {
    while (!stopped) {
      const [next] = waiting;
      if (next === undefined) await new Promise<void>((resolve) => sleepers.push(resolve));
      else {
        waiting.delete(next[0]);
        await handle(next[0], next[1], work);
      }
    }
  }

  return {
    add,
    addLater,
    run: async (workers, work) => {
      await Promise.all(Array.from({ length: workers }, () => worker(work)));
    },
    stop: () => {
      stopped = true;
      for (const { timer } of timers.values()) clearTimeout(timer);
      for (const wake of sleepers.splice(0)) wake();
    },
    length: () => waiting.size + again.size,
  };
}
