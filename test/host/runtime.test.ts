import { describe, expect, it } from "vitest";
import { callElsewhere, runtimes } from "./other-process.ts";

const read = (runtime: (typeof runtimes)[number], text: string) =>
  callElsewhere(runtime, ["host/runtime.ts", "parseYaml"], [text]);

describe.each(runtimes)("parseYaml on %s", (runtime) => {
  it.each<[string, unknown]>([
    ['{"a": [1, "b", null, true]}', { a: [1, "b", null, true] }],
    ["a:\n- b: c\n  d: 'e'\n", { a: [{ b: "c", d: "e" }] }],
    ["base: &base {a: 1}\nuser:\n  <<: *base\n  b: 2\n", { base: { a: 1 }, user: { a: 1, b: 2 } }],
    ["a: |\n  one\n  two\n", { a: "one\ntwo\n" }],
    ["# nothing but words\n", null],
  ])("reads %j", async (text, value) => {
    expect((await read(runtime, text)).value ?? null).toEqual(value);
  });

  it("refuses what is malformed", async () => {
    expect((await read(runtime, 'a: "open\nb: c')).error).toBeDefined();
  });
});

describe("findYamlFault", () => {
  it.each([
    ["a: 1\n\tb: 2\n", /^line 2, column \d+: /],
    ['token: "c4n4ry\nb: c\n', /^line \d+, column \d+: /],
    ["a: 1\n---\nb: 2\n", /^line [23], column \d+: a second document begins/],
    ["a: b\0c\n", /^line 1, column 5: a NUL character$/],
    ["a: [1, 2\nb: 3\n", /^line \d+, column \d+: /],
  ])("of %j says where, and nothing of the text", async (text, words) => {
    const { findYamlFault } = await import("../../src/host/runtime.ts");
    const fault = await findYamlFault(text);
    expect(fault).toMatch(words);
    expect(fault).not.toContain("c4n4ry");
  });

  it("finds none in what is good", async () => {
    const { findYamlFault } = await import("../../src/host/runtime.ts");
    expect(await findYamlFault("a: 1\n")).toBeUndefined();
  });
});
