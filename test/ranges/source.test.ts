import { describe, expect, it } from "vitest";
import { CniError } from "../../src/cni/error.ts";
import { annotation, annotationBody, isNodeValue, podCIDRs, type Source } from "../../src/ranges/source.ts";

const key = "example.com/net1";
const node = {
  name: "node-a",
  uid: "uid-a",
  podCIDRs: ["10.1.2.0/24", "fd00::/64"],
  annotations: { [key]: "10.2.0.0/24" },
};

describe("spec.podCIDRs", () => {
  it("are picked and parsed in their order", () => {
    expect(podCIDRs.pick(node)).toEqual(["10.1.2.0/24", "fd00::/64"]);
    expect(podCIDRs.parse(["fd00::/64", "10.1.2.0/24"], "node-a")).toEqual({
      ranges: [[{ subnet: "fd00::/64" }], [{ subnet: "10.1.2.0/24" }]],
    });
  });

  it("never change while a Node lives", () => {
    expect([podCIDRs.immutable, annotation(key).immutable, annotationBody(key).immutable]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it.each([
    [
      null,
      /^Node node-a has no spec\.podCIDRs$/,
      /--allocate-node-cidrs; or name an annotation in ipam\.annotation/,
    ],
    [["10.1.2.0/31"], /^spec\.podCIDRs of Node node-a can't be used$/, /10\.1\.2\.0\/31 is too small/],
    [["10.1.2.1/24"], /can't be used/, /host bits set: write 10\.1\.2\.0\/24/],
    [["fish"], /can't be used/, /"fish" is no CIDR/],
    [[], /can't be used/, /at least one range set/],
  ])("%j is error 103 that names the Node", (value, message, details) => {
    const error = errorOf(podCIDRs, value);
    expect(error.code).toBe(103);
    expect(error.message).toMatch(message);
    expect(error.details).toMatch(details);
  });

  it("are absent where a Node has none", () => {
    expect(podCIDRs.pick({ ...node, podCIDRs: [] })).toBeNull();
  });
});

describe("an annotation", () => {
  it("is picked by its key", () => {
    expect(annotation(key).pick(node)).toBe("10.2.0.0/24");
    expect(annotation("other").pick(node)).toBeNull();
    expect(annotation(key).pick({ ...node, annotations: { [key]: "" } })).toBe("");
  });

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty"])(
    "%s is absent unless a Node has it",
    (name) => {
      expect(annotation(name).pick(node)).toBeNull();
    },
  );

  it("is parsed as text, and as the list that an older state may hold", () => {
    const ranges = [[{ subnet: "10.1.2.0/24" }], [{ subnet: "fd00::/64" }]];
    expect(annotation(key).parse("10.1.2.0/24, fd00::/64", "node-a")).toEqual({ ranges });
    expect(annotation(key).parse(["10.1.2.0/24", "fd00::/64"], "node-a")).toEqual({ ranges });
  });

  it("that is absent is error 103, with the command that would make it", () => {
    const error = errorOf(annotation(key), null);
    expect(error).toMatchObject({ code: 103, message: `Node node-a has no annotation ${key}` });
    expect(error.details).toBe(`kubectl annotate node node-a ${key}=10.1.2.0/24`);
  });

  it("that is malformed is error 103, with place, reason and value", () => {
    const error = errorOf(annotation(key), "10.1.2.0/24,10.1.3.0/24");
    expect(error).toMatchObject({ code: 103, message: `annotation ${key} of Node node-a is malformed` });
    expect(error.details).toBe(
      'at character 13: a second IPv4 network: expected one of each family; several go into JSON; the value is "10.1.2.0/24,10.1.3.0/24"',
    );
  });

  it("that is malformed and long is shown in part", () => {
    expect(errorOf(annotation(key), "x".repeat(100_000)).details.length).toBeLessThan(600);
    expect(errorOf(annotationBody(key), "x".repeat(100_000)).details.length).toBeLessThan(600);
  });
});

describe("an annotation's body", () => {
  it("is handed on as it is", () => {
    const body = 'ranges: [{subnet: "10.1.2.0/24"}], dataDir: "/run/x", "odd": 1';
    expect(annotationBody(key).parse(body, "node-a")).toEqual({
      ranges: [{ subnet: "10.1.2.0/24" }],
      dataDir: "/run/x",
      odd: 1,
    });
  });

  it("that is malformed is error 103", () => {
    expect(errorOf(annotationBody(key), "ranges: fish")).toMatchObject({
      code: 103,
      details: expect.stringContaining("at character 9: expected a value"),
    });
    expect(errorOf(annotationBody(key), null).details).toContain("kubectl annotate node node-a");
  });
});

describe("isNodeValue", () => {
  it.each([null, "", "10.1.2.0/24", [], ["10.1.2.0/24"]])("%j is one", (value) => {
    expect(isNodeValue(value)).toBe(true);
  });

  it.each([undefined, 5, {}, [5], [null], "a\0", [["a"]]])("%j is none", (value) => {
    expect(isNodeValue(value)).toBe(false);
  });
});

function errorOf(source: Source, value: string[] | string | null): CniError {
  try {
    source.parse(value, "node-a");
  } catch (error) {
    if (error instanceof CniError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}
