import { expect, it } from "vitest";
import { addToList } from "../../src/terminal/flag-list.ts";

it("a flag of several values takes them with commas, given again, or both", () => {
  expect(addToList("b, c,", addToList("a"))).toEqual(["a", "b", "c"]);
  expect(addToList("")).toEqual([]);
});
