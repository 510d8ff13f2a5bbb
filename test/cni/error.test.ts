import { describe, expect, it } from "vitest";
import { CniError, code, formatError } from "../../src/cni/error.ts";

describe("formatError", () => {
  it("prints the document of the specification", () => {
    const error = new CniError(code.invalidConfig, "what", "where and what to do", new Error("cause"));
    expect(JSON.parse(formatError(error, "0.4.0"))).toEqual({
      cniVersion: "0.4.0",
      code: 7,
      msg: "what",
      details: "where and what to do",
    });
  });

  it("leaves out details that there aren't", () => {
    expect(JSON.parse(formatError(new CniError(11, "later"), "1.1.0"))).toEqual({
      cniVersion: "1.1.0",
      code: 11,
      msg: "later",
    });
  });

  it("is one line, whatever the words are", () => {
    const text = formatError(new CniError(100, 'a\nb"c\u2028', "\0\ud800"), "1.0.0");
    expect(text).not.toMatch(/[\n\0]/);
    expect(JSON.parse(text)).toMatchObject({ msg: 'a\nb"c\u2028' });
  });
});

describe("codes", () => {
  it("are each of one meaning", () => {
    const numbers = Object.values(code);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it("of our own don't collide with the specification's", () => {
    const specification = [1, 2, 3, 4, 5, 6, 7, 8, 11, 50, 51];
    const foreign = Object.values(code).filter((one) => one < 100 && !specification.includes(one));
    expect(foreign).toEqual([]);
  });
});
