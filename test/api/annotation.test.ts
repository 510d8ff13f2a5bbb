import { describe, expect, it } from "vitest";
import { AnnotationError, formatAnnotation, parseAnnotation } from "../../src/api/annotation.ts";

describe("parseAnnotation", () => {
  it.each<[string, object]>([
    ["10.1.2.0/24", [[{ subnet: "10.1.2.0/24" }]]],
    ["10.1.2.0/24,fd00::/64", [[{ subnet: "10.1.2.0/24" }], [{ subnet: "fd00::/64" }]]],
    ["fd00::/64,10.1.2.0/24", [[{ subnet: "fd00::/64" }], [{ subnet: "10.1.2.0/24" }]]],
    [" 10.1.2.0/24 ,\tfd00::/64\n", [[{ subnet: "10.1.2.0/24" }], [{ subnet: "fd00::/64" }]]],
    ["4000::16.0.0.0/120", [[{ subnet: "4000::16.0.0.0/120" }]]],
    ["10.1.2.0/30", [[{ subnet: "10.1.2.0/30" }]]],
    ["fd00::/126", [[{ subnet: "fd00::/126" }]]],
    ["10.1.2.10-10.1.2.99/24", [[{ subnet: "10.1.2.0/24", rangeStart: "10.1.2.10", rangeEnd: "10.1.2.99" }]]],
    [
      "10.1.2.10 - 10.1.2.99 / 24 , fd00::10-fd00::1f/64",
      [
        [{ subnet: "10.1.2.0/24", rangeStart: "10.1.2.10", rangeEnd: "10.1.2.99" }],
        [{ subnet: "fd00::/64", rangeStart: "fd00::10", rangeEnd: "fd00::1f" }],
      ],
    ],
    ["10.1.2.7-10.1.2.7/24", [[{ subnet: "10.1.2.0/24", rangeStart: "10.1.2.7", rangeEnd: "10.1.2.7" }]]],
    ['[[{"subnet": "10.1.2.0/24"}]]', [[{ subnet: "10.1.2.0/24" }]]],
    [
      '[[{"subnet": "10.1.2.0/24", "rangeStart": "10.1.2.9", "rangeEnd": "10.1.2.20", "gateway": "10.1.2.1"}]]',
      [[{ subnet: "10.1.2.0/24", rangeStart: "10.1.2.9", rangeEnd: "10.1.2.20", gateway: "10.1.2.1" }]],
    ],
    [
      '[[{"subnet": "10.1.2.0/24"}, {"subnet": "10.1.3.0/24"}], [{"subnet": "10.1.4.0/24"}]]',
      [[{ subnet: "10.1.2.0/24" }, { subnet: "10.1.3.0/24" }], [{ subnet: "10.1.4.0/24" }]],
    ],
    [
      '[[{"subnet": "10.1.2.0/24", "rangeEnd": "10.1.2.9"}, {"subnet": "10.1.2.0/24", "rangeStart": "10.1.2.10"}]]',
      [
        [
          { subnet: "10.1.2.0/24", rangeEnd: "10.1.2.9" },
          { subnet: "10.1.2.0/24", rangeStart: "10.1.2.10" },
        ],
      ],
    ],
  ])("reads %s", (text, ranges) => {
    expect(parseAnnotation(text)).toEqual({ ranges });
  });

  it("reads routes", () => {
    const text =
      '{"ranges": [[{"subnet": "10.1.2.0/24"}]], "routes": [{"dst": "0.0.0.0/0", "gw": "10.1.2.1"}]}';
    expect(parseAnnotation(text)).toEqual(JSON.parse(text));
  });
});

describe("what is wrong with an annotation, and at which character", () => {
  it.each<[text: string, character: number, words: string]>([
    ["", 1, "the annotation is empty: expected a network such as 10.1.2.0/24"],
    [" \n\t", 1, "the annotation is empty"],
    [",", 1, "nothing between commas"],
    ["10.1.2.0/24,", 13, "nothing between commas"],
    ["10.1.2.0/24,,fd00::/64", 13, "nothing between commas"],
    ["10.1.2.0", 1, '"10.1.2.0" is no CIDR: expected an address, "/" and a prefix length, as in 10.1.2.0/24'],
    ["ten", 1, '"ten" is no CIDR'],
    ["10.1.2.0/24;fd00::/64", 1, "is no CIDR"],
    ["10.1.2.0/24, fd00:/64", 14, '"fd00:/64" is no CIDR'],
    ["010.1.2.0/24", 1, "is no CIDR"],
    ["fe80::1%eth0/64", 1, "is no CIDR"],
    ["10.1.2.0/33", 1, "is no CIDR"],
    ["fd00::/64, 10.1.2.3/24", 12, "10.1.2.3/24 has host bits set: write 10.1.2.0/24"],
    ["fd00::1/64", 1, "fd00::1/64 has host bits set: write fd00::/64"],
    ["10.1.2.0/31", 1, "10.1.2.0/31 is too small to give pods addresses: expected /30 or shorter"],
    ["10.1.2.0/32", 1, "10.1.2.0/32 is too small"],
    ["fd00::/127", 1, "fd00::/127 is too small to give pods addresses: expected /126 or shorter"],
    ["10.1.2.0/24,fd00::/128", 13, "fd00::/128 is too small"],
    ["::ffff:10.1.2.0/120", 1, "::ffff:10.1.2.0/120 is an IPv4 network written as IPv6: write it as IPv4"],
    ["::ffff:a01:200/120", 1, "is an IPv4 network written as IPv6"],
    ["10.1.2.0/24,10.1.3.0/24", 13, "a second IPv4 network: expected one of each family"],
    ["fd00::/64, fd01::/64", 12, "a second IPv6 network"],
    ["10.1.2.0/24,fd00::/64,10.1.3.0/24", 23, "a third network: expected at most two"],
    ["10.1.2.10-10.1.2.99", 1, "expected FIRST-LAST/PREFIX, as in 10.1.2.10-10.1.2.99/24"],
    ["10.1.2.10-", 11, '"" is no IP address'],
    ["-10.1.2.99/24", 1, '"" is no IP address'],
    ["10.1.2.10-fish/24", 11, '"fish" is no IP address'],
    ["10.1.2.10-10.1.2.99-10.1.2.120/24", 1, "expected FIRST-LAST/PREFIX"],
    ["10.1.2.99-10.1.2.10/24", 1, "10.1.2.10 comes before 10.1.2.99"],
    ["10.1.2.10-10.1.3.10/24", 1, "10.1.3.10 is outside of 10.1.2.0/24"],
    ["10.1.2.10-fd00::1/24", 1, "fd00::1 is outside of 10.1.2.0/24"],
    ["10.1.2.10-10.1.2.10/32", 1, "10.1.2.10/32 is too small"],
    ["10.1.2.10-10.1.2.11/31", 1, "10.1.2.10/31 is too small"],
    ["::ffff:10.1.2.1-::ffff:10.1.2.9/120", 1, "written as IPv6"],
    ["fd00::/64,10.1.2.10-10.1.2.99/33", 11, "expected FIRST-LAST/PREFIX"],
    ["10.1.2.10-10.1.2.99/24,10.1.3.0/24", 24, "a second IPv4 network"],
  ])("list %j: %d, %s", expectError);

  it.each<[text: string, character: number, words: string]>([
    ["[", 2, "JSON is malformed: expected a value"],
    ["[[{subnet: 1}]]", 4, "JSON is malformed: expected a key in double quotes"],
    ['[[{"subnet": "10.1.2.0/24"}]', 29, 'JSON is malformed: expected "," or "]"'],
    ['[[{"subnet": "10.1.2.0/24"}]] x', 31, "JSON is malformed: expected the end"],
    ["[]", 1, "expected at least one range set, found an empty array"],
    ["[[]]", 2, "[0]: expected at least one range in the set, found none"],
    ["[1]", 2, "[0]: expected a range set, that is an array of ranges, found a number"],
    [
      '[{"subnet": "10.1.2.0/24"}]',
      2,
      "[0]: expected a range set, that is an array of ranges, found an object",
    ],
    ['[["10.1.2.0/24"]]', 3, '[0][0]: expected a range like {"subnet": "10.1.2.0/24"}, found a string'],
    ["[[{}]]", 3, "[0][0]: a range without subnet"],
    ['[[{"subnet": 5}]]', 14, "[0][0].subnet: expected a string, found a number"],
    ['[[{"subnet": "10.1.2.3/24"}]]', 14, "[0][0].subnet: 10.1.2.3/24 has host bits set: write 10.1.2.0/24"],
    ['[[{"subnet": "10.1.2.0/31"}]]', 14, "too small"],
    ['[[{"subnet": "::ffff:10.1.2.0/120"}]]', 14, "written as IPv6"],
    [
      '[[{"subnet": "10.1.2.0/24", "gatway": "10.1.2.1"}]]',
      29,
      '[0][0].gatway: unknown key (did you mean "gateway"?): expected subnet, rangeStart, rangeEnd, gateway',
    ],
    ['[[{"Subnet": "10.1.2.0/24"}]]', 4, '[0][0].Subnet: unknown key (did you mean "subnet"?)'],
    ['[[{"subnet": "10.1.2.0/24", "gateway": "10.1.3.1"}]]', 40, "10.1.3.1 is outside of 10.1.2.0/24"],
    ['[[{"subnet": "10.1.2.0/24", "gateway": "fd00::1"}]]', 40, "fd00::1 is outside of 10.1.2.0/24"],
    ['[[{"subnet": "10.1.2.0/24", "gateway": ""}]]', 40, '"" is no IP address'],
    ['[[{"subnet": "10.1.2.0/24", "rangeStart": "10.1.1.9"}]]', 43, "10.1.1.9 is outside of 10.1.2.0/24"],
    [
      '[[{"subnet": "10.1.2.0/24", "rangeEnd": "10.1.2.9", "rangeStart": "10.1.2.20"}]]',
      41,
      "[0][0].rangeEnd: the range ends before it starts",
    ],
    [
      '[[{"subnet": "10.1.2.0/24"}, {"subnet": "fd00::/64"}]]',
      41,
      "[0][1].subnet: IPv4 and IPv6 in one range set",
    ],
    [
      '[[{"subnet": "10.1.2.0/24"}], [{"subnet": "10.1.2.128/25"}]]',
      32,
      "[1][0]: 10.1.2.128/25 overlaps with 10.1.2.0/24 of [0][0]",
    ],
    [
      '[[{"subnet": "10.1.2.0/24", "rangeEnd": "10.1.2.9"}, {"subnet": "10.1.2.0/24", "rangeStart": "10.1.2.9"}]]',
      54,
      "overlaps",
    ],
    ["{}", 1, "ranges: expected an array of range sets, found nothing"],
    ['{"ranges": null}', 12, "ranges: expected an array of range sets, found null"],
    ['{"range": []}', 2, 'range: unknown key (did you mean "ranges"?): expected ranges or routes'],
    ['{"ranges": [[{"subnet": "x"}]]}', 25, 'ranges[0][0].subnet: "x" is no CIDR'],
    [
      '{"ranges": [[{"subnet": "10.1.2.0/24"}]], "routes": {}}',
      53,
      "routes: expected an array, found an object",
    ],
    [
      '{"ranges": [[{"subnet": "10.1.2.0/24"}]], "routes": [{}]}',
      54,
      "routes[0]: expected dst to be a network",
    ],
    [
      '{"ranges": [[{"subnet": "10.1.2.0/24"}]], "routes": [{"dst": "all"}]}',
      62,
      "routes[0].dst: expected dst",
    ],
    [
      '{"ranges": [[{"subnet": "10.1.2.0/24"}]], "routes": [{"dst": "::/0", "gw": "10.1.2.1"}]}',
      76,
      "routes[0].gw: expected an address of IPv6, the family of dst",
    ],
  ])("JSON %s: %d, %s", expectError);

  it("shows no more than the beginning of a long text", () => {
    expect(errorOf("x".repeat(100_000)).message.length).toBeLessThan(300);
    expect(errorOf(JSON.stringify([[{ subnet: "x".repeat(100_000) }]])).message.length).toBeLessThan(300);
    expect(errorOf(`10.1.2.1-${"x".repeat(100_000)}`).message.length).toBeLessThan(300);
    expect(errorOf(JSON.stringify({ ["x".repeat(100_000)]: 1 })).message.length).toBeLessThan(300);
  });
});

describe("formatAnnotation", () => {
  it.each([
    ["10.1.2.0/24,fd00::/64"],
    ["fd00::/64"],
    ["10.1.2.10-10.1.2.99/24"],
    ['[[{"subnet":"10.1.2.0/24"}],[{"subnet":"10.1.3.0/24"}]]'],
    ['[[{"subnet":"10.1.2.0/24"},{"subnet":"10.1.3.0/24"}]]'],
    ['[[{"subnet":"10.1.2.0/24","gateway":"10.1.2.1"}]]'],
    ['[[{"subnet":"10.1.2.0/24","rangeStart":"10.1.2.9"}]]'],
    ['{"ranges":[[{"subnet":"10.1.2.0/24"}]],"routes":[]}'],
  ])("prints %s again", (text) => {
    expect(formatAnnotation(parseAnnotation(text))).toBe(text);
  });
});

function expectError(text: string, character: number, words: string): void {
  const { position, message } = errorOf(text);
  expect(message).toContain(words);
  expect(position).toBe(character);
  expect(message).toMatch(new RegExp(`^at character ${character}: `));
}

function errorOf(text: string): AnnotationError {
  try {
    parseAnnotation(text);
  } catch (error) {
    if (error instanceof AnnotationError) return error;
    throw error;
  }
  throw new Error(`it was accepted: ${text}`);
}
