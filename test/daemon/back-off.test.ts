import { describe, expect, it } from "vitest";
import { makeBackOff } from "../../src/daemon/back-off.ts";

const never = new AbortController().signal;

describe("pauses after failures", () => {
  async function timeOf(wait: Promise<void>): Promise<number> {
    const began = performance.now();
    await wait;
    return performance.now() - began;
  }

  it("grow to twice the last one at every failure, to the longest, with half of each by chance, and begin anew", async () => {
    const backOff = makeBackOff(40, 160);
    const least = [20, 40, 80, 80];
    for (const one of least) expect(await timeOf(backOff.wait(never))).toBeGreaterThan(one - 2);
    backOff.reset();
    const again = Promise.race([
      backOff.wait(never).then(() => "short"),
      new Promise((done) => setTimeout(done, 79)),
    ]);
    expect(await again).toBe("short");
  });

  it("differ from node to node", async () => {
    const times = await Promise.all(
      Array.from({ length: 12 }, () => timeOf(makeBackOff(200, 200).wait(never))),
    );
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(5);
  });

  it("end at once where the agent ends", async () => {
    const ending = new AbortController();
    const waiting = makeBackOff(3_600_000, 3_600_000).wait(ending.signal);
    ending.abort();
    await waiting;
  });
});
