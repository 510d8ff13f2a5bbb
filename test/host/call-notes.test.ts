import {
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { noteCall, parseCallNotes } from "../../src/host/call-notes.ts";

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "notes-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe("notes of calls", () => {
  it("are read as they were written", () => {
    const path = join(makeFolder(), "calls");
    const note = fc.record({
      verb: fc.constantFrom("ADD", "DEL", "CHECK", "GC", "STATUS"),
      result: fc.oneof(fc.constant("ok"), fc.integer({ min: 1, max: 999 }).map(String)),
      milliseconds: fc.integer({ min: 0, max: 200_000 }).map((tenths) => tenths / 10),
    });
    fc.assert(
      fc.property(fc.array(note, { maxLength: 5 }), (notes) => {
        writeFileSync(path, "");
        for (const one of notes) noteCall(one, path);
        expect(parseCallNotes(readFileSync(path, "utf8"))).toEqual(notes);
      }),
      { numRuns: 50 },
    );
  });

  it("are taken where an agent reads them alone, into no other file, and not without end", () => {
    const folder = makeFolder();
    const path = join(folder, "calls");
    const note = { verb: "ADD", result: "ok", milliseconds: 1 };
    noteCall(note, path);
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
    writeFileSync(join(folder, "other"), "");
    symlinkSync(join(folder, "other"), path);
    noteCall(note, path);
    expect(readFileSync(join(folder, "other"), "utf8")).toBe("");
    rmSync(path);
    writeFileSync(path, "");
    truncateSync(path, 1 << 20);
    noteCall(note, path);
    expect(statSync(path).size).toBe(1 << 20);
  });

  it("that are none are passed over", () => {
    fc.assert(fc.property(fc.string(), (text) => void parseCallNotes(text)));
    expect(parseCallNotes("ADD ok 1\nADD yes 1\n\nADD ok 1 2\nadd ok 1\nDEL 11 0.5")).toHaveLength(2);
  });
});
