import fc from "fast-check";

/** What no honest program writes: any characters, lone surrogates, NUL, bytes that are no UTF-8. */
const noise = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString("utf8")),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
);

/** Words that mean something to a language, a shell, a file system or a parser. */
const charms = fc.constantFrom(
  '"__proto__"',
  "__proto__",
  "constructor",
  "hasOwnProperty",
  "toString",
  '{"__proto__":{"polluted":1}}',
  "\0",
  "\ud800",
  "\udc00x",
  "\\ud800",
  "\\u0000",
  "\u2028",
  "\ufeff",
  "9".repeat(400),
  "1e999",
  "-1e-999",
  "-0",
  "NaN",
  "0x7f",
  "18446744073709551616",
  "$(id)",
  "`id`",
  "../../..",
  "%s%n",
  "\r\n",
  "[".repeat(70),
  '{"a":'.repeat(70),
  "null",
  "true",
  "{}",
  "[]",
  '""',
  ",",
  ":",
  "/",
  "-",
  "~",
);

/** JSON of any shape, with hostile keys and numbers. */
const json = fc
  .object({
    key: fc.oneof(charms, fc.string({ maxLength: 6 })),
    values: [fc.boolean(), fc.double(), fc.maxSafeInteger(), noise, charms, fc.constant(null)],
    withNullPrototype: false,
    maxDepth: 4,
  })
  .map((value) => JSON.stringify(value) ?? "");

type Change = { at: number; length: number; put: string };

/** A good text in which some places were cut out and others filled with something else. */
function spoilt(good: string): fc.Arbitrary<string> {
  const change = fc.record({
    at: fc.nat({ max: good.length }),
    length: fc.nat({ max: 8 }),
    put: fc.oneof(charms, noise),
  });
  const cut = fc.nat({ max: good.length }).map((length) => good.slice(0, length));
  const changed = fc
    .array(change, { minLength: 1, maxLength: 4 })
    .map((changes) => changes.reduce(apply, good));
  return fc.oneof(changed, changed, cut, swapped(good));
}

function apply(text: string, { at, length, put }: Change): string {
  return text.slice(0, at) + put + text.slice(at + length);
}

/** One of its words in the place of another. */
function swapped(good: string): fc.Arbitrary<string> {
  const words = good.match(/"[^"]*"|[\w.:/-]+/g) ?? [""];
  return fc
    .tuple(fc.constantFrom(...words), fc.oneof(fc.constantFrom(...words), charms))
    .map(([from, to]) => good.replace(from, () => to));
}

/** Rubbish of every kind, some of it nearly one of the good texts. */
export function rubbish(good: readonly string[]): fc.Arbitrary<string> {
  const near = good.map(spoilt);
  return fc.oneof(noise, json, charms, ...near, ...near);
}

const mega = 1 << 20;

/** What is large or deep, by its name. */
export const monsters: Record<string, () => string> = {
  "10 MB in a string": () => `"${"x".repeat(10 * mega)}"`,
  "10 MB in a key": () => `{"${"k".repeat(10 * mega)}": 1}`,
  "a number of a million digits": () => "9".repeat(mega),
  "a number of a million digits in a name": () => `{"name": ${"9".repeat(mega)}}`,
  "100,000 arrays in one another": () => "[".repeat(100_000) + "]".repeat(100_000),
  "100,000 objects in one another": () => `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`,
  "a million opening brackets": () => "[".repeat(mega),
  "a million opening braces": () => "{".repeat(mega),
  "a million commas": () => ",".repeat(mega),
  "a million blanks": () => " ".repeat(mega),
  "a million line ends": () => "\n".repeat(mega),
  "a million NULs": () => "\0".repeat(mega),
  "a million quotes": () => '"'.repeat(mega),
  "a million backslashes in a string": () => `"${"\\".repeat(mega)}"`,
  "a million colons": () => ":".repeat(mega),
  "a million lone surrogates": () => "\ud800".repeat(mega),
  "a million dashes": () => "-".repeat(mega),
  "a million dots": () => ".".repeat(mega),
  "200,000 keys": () =>
    JSON.stringify(Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`k${i}`, i]))),
  "100,000 networks": () =>
    Array.from({ length: 100_000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`).join(","),
  "10,000 ranges": () =>
    JSON.stringify(Array.from({ length: 10_000 }, (_, i) => [{ subnet: `10.${i >> 8}.${i & 255}.0/24` }])),
};
