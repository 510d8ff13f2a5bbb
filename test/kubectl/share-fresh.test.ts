import { expect, it } from "vitest";
import { shareFresh } from "../../src/kubectl/share-fresh.ts";

it("work is shared by those who asked before it began, one at a time, failures too", async () => {
  const begun: PromiseWithResolvers<string>[] = [];
  const ask = shareFresh(() => {
    const work = Promise.withResolvers<string>();
    begun.push(work);
    return work.promise;
  });
  const early = ask();
  await expect.poll(() => begun.length).toBe(1);
  const late = [ask(), ask()];
  await new Promise(setImmediate);
  expect(begun).toHaveLength(1);
  begun[0]?.reject(new Error("first"));
  await expect(early).rejects.toThrow("first");
  await expect.poll(() => begun.length).toBe(2);
  begun[1]?.resolve("second");
  expect(await Promise.all(late)).toEqual(["second", "second"]);
  const last = ask();
  await expect.poll(() => begun.length).toBe(3);
  begun[2]?.resolve("third");
  expect(await last).toBe("third");
});
