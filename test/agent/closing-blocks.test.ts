import { describe, expect, it } from "vitest";
import { type ClosingBlocks, countLook, followClosing, isSettled } from "../../src/agent/closing-blocks.ts";

const none: ClosingBlocks = new Map();

describe("a closing block's time", () => {
  it("begins when it is first seen closing, and goes on while it is", () => {
    const one = followClosing(none, ["a"], 100);
    const two = followClosing(one, ["a", "b"], 150);
    expect([...two].map(([name, { since }]) => [name, since])).toEqual([
      ["a", 100],
      ["b", 150],
    ]);
  });

  it("begins anew where it was not closing meanwhile, and where nothing is known of before", () => {
    const reopened = followClosing(followClosing(none, ["a"], 100), [], 200);
    expect(followClosing(reopened, ["a"], 300).get("a")).toEqual({ since: 300, clean: 0 });
  });

  it("is long enough only when the longest call is over", () => {
    const block = { since: 100, clean: 0 };
    expect([340, 340.1].map((now) => isSettled(block, now, 240))).toEqual([false, true]);
  });
});

describe("looks at a closing block", () => {
  it("are enough when two in a row have found nothing", () => {
    let block = { since: 0, clean: 0 };
    const drained = [true, false, true, true].map((isClean) => {
      const counted = countLook(block, isClean);
      block = counted.block;
      return counted.isDrained;
    });
    expect(drained).toEqual([false, false, false, true]);
  });
});
