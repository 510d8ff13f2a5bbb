import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CniError } from "../../src/cni/error.ts";
import { parseNetwork, readVersion } from "../../src/cni/network.ts";
import { versions } from "../../src/cni/versions.ts";
import { fold } from "../../src/text/fold.ts";
import { mutated } from "../text/mutations.ts";

const good = { cniVersion: "1.0.0", name: "net1", type: "bridge", ipam: { type: "kube-node" } };

describe("parseNetwork", () => {
  it("keeps all that came", () => {
    expect(parseNetwork(JSON.stringify(good))).toEqual({ name: "net1", cniVersion: "1.0.0", raw: good });
  });

  it.each(versions)("takes CNI %s", (cniVersion) => {
    expect(parseNetwork(JSON.stringify({ ...good, cniVersion })).cniVersion).toBe(cniVersion);
  });

  it.each([undefined, null, ""])("takes a version of %j for 0.1.0", (cniVersion) => {
    expect(readVersion({ cniVersion })).toBe("0.1.0");
  });

  it("needs no name where somebody only tries things out", () => {
    const { name: _, ...nameless } = good;
    expect(parseNetwork(JSON.stringify(nameless), { nameless: true }).name).toBe("nameless");
    expect(parseNetwork(JSON.stringify(good), { nameless: true }).name).toBe("net1");
  });
});

describe("a configuration that is printed", () => {
  const name = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,20}$/);
  const isRead = (key: string) => /^(name|cniversion|ipam|args|runtimeconfig)$/.test(fold(key));
  const others = fc
    .dictionary(fc.oneof(fc.string(), fc.constant("__proto__")), fc.json().map(JSON.parse))
    .map((keys) => Object.fromEntries(Object.entries(keys).filter(([key]) => !isRead(key))));
  const own = fc.record(
    { name, cniVersion: fc.constantFrom(...versions), ipam: others, args: others, runtimeConfig: others },
    { requiredKeys: ["name"] },
  );

  it("is the same when it is read, however it is laid out, and when it is printed again", () => {
    fc.assert(
      fc.property(others, own, fc.constantFrom(undefined, 2, "\t"), (rest, keys, space) => {
        const raw = { ...rest, ...keys };
        const network = parseNetwork(JSON.stringify(raw, undefined, space));
        expect(network).toEqual({ name: keys.name, cniVersion: keys.cniVersion ?? "0.1.0", raw });
        expect(Object.keys(network.raw)).toEqual(Object.keys(raw));
        expect(parseNetwork(JSON.stringify(network.raw))).toEqual(network);
      }),
    );
  });
});

describe("what is wrong with a configuration", () => {
  it.each<[string, number, RegExp, RegExp]>([
    ["", 6, /no network configuration on standard input/, /expected a JSON object/],
    [" \n\t", 6, /no network configuration/, /expected a JSON object/],
    ["null", 6, /no JSON object/, /found null/],
    ["[]", 6, /no JSON object/, /found an array/],
    ['"net"', 6, /no JSON object/, /found a string/],
    ["{", 6, /not JSON/, /line 1, column 2: expected a key in double quotes/],
    ['{\n  "name": "a",\n  "ipam": x\n}', 6, /not JSON/, /line 3, column 11: expected a value/],
    ['{"name": "a"}}', 6, /not JSON/, /line 1, column 14: expected the end/],
    ['\ufeff{"name": "a"}', 6, /not JSON/, /line 1, column 1: expected a value/],
    ["{}", 7, /without a name/, /name: expected a string, found nothing/],
    ['{"name": null}', 7, /without a name/, /name: expected a string/],
    ['{"name": ""}', 7, /without a name/, /found an empty one/],
    ['{"name": 5}', 7, /without a name/, /found a number/],
    ['{"name": ["a"]}', 7, /without a name/, /found an array/],
    ['{"name": "../a"}', 7, /name is malformed: "..\/a"/, /letters, digits/],
    ['{"name": ".hidden"}', 7, /malformed/, /the first a letter or a digit/],
    ['{"name": "a b"}', 7, /malformed: "a b"/, /letters, digits/],
    ['{"name": "a\\n"}', 7, /malformed/, /letters, digits/],
    ['{"name": "a", "cniVersion": "0.9.0"}', 1, /incompatible CNI version: "0.9.0"/, /one of 0.1.0,.*1.1.0/],
    ['{"name": "a", "cniVersion": 1}', 1, /incompatible CNI version: a number/, /cniVersion: expected/],
    ['{"name": "a", "cniVersion": {}}', 1, /an object/, /cniVersion: expected/],
    ['{"name": "a", "IPAM": {}}', 7, /unexpected key "IPAM"/, /write it "ipam"/],
    ['{"name": "a", "Name": "b"}', 7, /unexpected key "Name"/, /write it "name"/],
    ['{"name": "a", "CNIversion": "1.0.0"}', 7, /unexpected key "CNIversion"/, /write it "cniVersion"/],
    ['{"name": "a", "RuntimeConfig": {}}', 7, /unexpected key/, /write it "runtimeConfig"/],
    ['{"name": "a", "Arg\u017f": {}}', 7, /unexpected key/, /write it "args"/],
  ])("%j: code %d", (text, code, message, details) => {
    const error = faultOf(text);
    expect(error).toMatchObject({ code });
    expect(error?.message).toMatch(message);
    expect(error?.details).toMatch(details);
  });

  it("is short, however long the input is", () => {
    for (const text of [
      JSON.stringify({ name: "x y".repeat(100_000) }),
      JSON.stringify({ name: "a", cniVersion: "9".repeat(100_000) }),
      `{"name": "${"x".repeat(100_000)}`,
    ]) {
      const error = faultOf(text);
      expect(`${error?.message}${error?.details}`.length).toBeLessThan(400);
    }
  });

  it("is always a CniError", () => {
    const texts = mutated(fc.constant(JSON.stringify(good)), '{}[]",:\\0 \n');
    fc.assert(
      fc.property(texts, (text) => void faultOf(text)),
      { numRuns: 2000 },
    );
    fc.assert(fc.property(fc.json(), (text) => void faultOf(text)));
  });
});

function faultOf(text: string): CniError | undefined {
  try {
    parseNetwork(text);
    return undefined;
  } catch (error) {
    if (error instanceof CniError) return error;
    throw error;
  }
}
