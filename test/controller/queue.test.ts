import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type Lease, mayTake, takeLease } from "../../src/controller/lease.ts";
import { makeRateLimit } from "../../src/controller/limit-rate.ts";
import { makeQueue } from "../../src/controller/queue.ts";

describe("the queue", () => {
  it("works on a key once however often it is asked for, and never twice at one time", async () => {
    const queue = makeQueue();
    const done: string[] = [];
    let busy = 0;
    let most = 0;
    const running = queue.run(4, async (key) => {
      most = Math.max(most, ++busy);
      await sleep(10);
      busy--;
      done.push(key);
    });
    for (let i = 0; i < 10; i++) queue.add("a");
    await sleep(5);
    for (let i = 0; i < 10; i++) queue.add("a");
    await expect.poll(() => done).toEqual(["a", "a"]);
    expect(most).toBe(1);
    queue.stop();
    await running;
  });

  it("tries again what failed, after pauses that grow", async () => {
    const pauses: number[] = [];
    const queue = makeQueue({ onFailure: (_, __, pauseMs) => pauses.push(pauseMs) });
    let left = 4;
    const running = queue.run(1, async () => {
      if (left-- > 0) throw new Error("no");
    });
    queue.add("a");
    await expect.poll(() => left).toBe(-1);
    expect(pauses).toHaveLength(4);
    for (const [i, pause] of pauses.entries()) expect(pause).toBeLessThanOrEqual(50 * 2 ** i);
    for (const [i, pause] of pauses.entries()) expect(pause).toBeGreaterThanOrEqual(25 * 2 ** i);
    queue.stop();
    await running;
  });

  it("works later on what is due later, but earlier where it is asked for", async () => {
    const queue = makeQueue();
    const done: string[] = [];
    const running = queue.run(1, async (key) => void done.push(key));
    queue.addLater("late", 60_000);
    queue.addLater("soon", 1);
    await expect.poll(() => done).toEqual(["soon"]);
    queue.addLater("late", 1);
    await expect.poll(() => done).toEqual(["soon", "late"]);
    queue.stop();
    await running;
  });
});

describe("the Lease", () => {
  const lease = (holderIdentity: string): Lease => ({
    metadata: { name: "l", namespace: "n" },
    spec: { holderIdentity, leaseDurationSeconds: 15, leaseTransitions: 3 },
  });

  it("may be taken where nobody has it, or who has it was silent", () => {
    expect(mayTake({ lease: undefined, changedAt: 0 }, "me", 0)).toBe(true);
    expect(mayTake({ lease: lease(""), changedAt: 0 }, "me", 0)).toBe(true);
    expect(mayTake({ lease: lease("me"), changedAt: 0 }, "me", 0)).toBe(true);
    expect(mayTake({ lease: lease("you"), changedAt: 0 }, "me", 15_000)).toBe(false);
    expect(mayTake({ lease: lease("you"), changedAt: 0 }, "me", 15_001)).toBe(true);
  });

  it("counts its holders, and has times to the microsecond", () => {
    const time = new Date("2026-01-02T03:04:05.678Z");
    const taken = takeLease(lease("you"), "me", 15, time);
    expect(taken).toMatchObject({
      holderIdentity: "me",
      leaseTransitions: 4,
      acquireTime: "2026-01-02T03:04:05.678000Z",
    });
    const kept = takeLease({ ...lease("me"), spec: taken }, "me", 15, new Date("2026-01-02T03:04:06Z"));
    expect(kept).toMatchObject({
      leaseTransitions: 4,
      acquireTime: taken.acquireTime,
      renewTime: "2026-01-02T03:04:06.000000Z",
    });
  });
});

describe("the rate", () => {
  it("lets twice a second's requests begin at once, and then no more than its share", async () => {
    const mayBegin = makeRateLimit(100, new AbortController().signal);
    const began = performance.now();
    await Promise.all(Array.from({ length: 200 + 30 }, () => mayBegin()));
    expect(performance.now() - began).toBeGreaterThan(290);
  });
});
