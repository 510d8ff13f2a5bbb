import fc from "fast-check";

/** A text with up to three characters taken out, put in, replaced or doubled: nearly what it was, and mostly malformed. */
export function mutated(text: fc.Arbitrary<string>, alphabet: string): fc.Arbitrary<string> {
  const character = fc.oneof(fc.constantFrom(...alphabet), fc.string({ unit: "binary", maxLength: 1 }));
  const change = fc.record({
    kind: fc.constantFrom("remove", "insert", "replace", "double", "cut"),
    at: fc.nat(),
    character,
  });
  return fc
    .tuple(text, fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([start, changes]) =>
      changes.reduce((now, { kind, at, character }) => apply(now, kind, at, character), start),
    );
}

function apply(text: string, kind: string, at: number, character: string): string {
  const place = at % (text.length + 1);
  const [before, after] = [text.slice(0, place), text.slice(place)];
  switch (kind) {
    case "remove":
      return before + after.slice(1);
    case "insert":
      return before + character + after;
    case "replace":
      return before + character + after.slice(1);
    case "double":
      return before + after.slice(0, 1) + after;
    default:
      return before;
  }
}
