import fc from "fast-check";
import { expect, it } from "vitest";
import { LeastFirst } from "../../src/pool/least-first.ts";

it("gives the least of what is in it, each once, whatever comes in between", () => {
  const value = fc.option(fc.nat(40), { nil: undefined });
  fc.assert(
    fc.property(fc.array(value, { maxLength: 80 }), (steps) => {
      const [heap, model] = [new LeastFirst(), new Set<number>()];
      for (const step of [...steps, ...Array<undefined>(steps.length).fill(undefined)]) {
        if (step !== undefined) {
          heap.add(BigInt(step));
          model.add(step);
          continue;
        }
        const least = model.size > 0 ? Math.min(...model) : undefined;
        expect(heap.take()).toBe(least === undefined ? undefined : BigInt(least));
        if (least !== undefined) model.delete(least);
      }
    }),
  );
});
