import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatRecord, parseRecord, workerIn } from "../../src/lease/record-text.ts";
import { makeRecord } from "./take-over.ts";

const pids = fc.integer({ min: 1, max: 4_194_304 }); // Linux's pid_max at most.

describe("a record's text", () => {
  it("gives the record again, with its worker and without", () => {
    const record = makeRecord();
    expect(parseRecord(formatRecord(record), 0)).toEqual(record);
    fc.assert(
      fc.property(pids, (delegatePid) => {
        expect(parseRecord(formatRecord({ ...record, delegatePid }), 0)).toEqual({ ...record, delegatePid });
      }),
    );
  });

  it("is JSON whose worker is a number: older releases read it", () => {
    expect(JSON.parse(formatRecord(makeRecord({ delegatePid: 4711 })))).toHaveProperty("delegatePid", 4711);
    expect(JSON.parse(formatRecord(makeRecord()))).toHaveProperty("delegatePid", 0);
  });

  it("is read where it was written by an older one", () => {
    for (const record of [makeRecord(), makeRecord({ delegatePid: 4711 })])
      expect(parseRecord(JSON.stringify(record), 0)).toEqual(record);
  });

  it("takes another worker in its place, and stays the same record however that write is torn", () => {
    fc.assert(
      fc.property(
        pids,
        pids,
        fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }),
        (old, next, isNew) => {
          const record = makeRecord({ delegatePid: old });
          const text = formatRecord(record);
          const { at, bytes } = workerIn(text, next) as { at: number; bytes: string };
          const put = (digits: string) => text.slice(0, at) + digits + text.slice(at + digits.length);
          expect(parseRecord(put(bytes), 0)).toEqual({ ...record, delegatePid: next });
          const torn = [...bytes].map((digit, i) => (isNew[i] ? digit : text[at + i])).join("");
          const { delegatePid, ...rest } = parseRecord(put(torn), 0) ?? {};
          expect({ ...rest, delegatePid: old }).toEqual(record);
          expect(delegatePid ?? 0).toBe(Number(torn));
        },
      ),
    );
  });

  it.each(["a text", null, -1, 0.5, [4711], {}])("has no worker where %j stands for it", (delegatePid) => {
    const record = makeRecord();
    expect(parseRecord(JSON.stringify({ ...record, delegatePid }), 0)).toEqual(record);
  });

  it("has no place for a worker where it is no record of this form", () => {
    for (const text of ["", "c1\r\neth0", "{", JSON.stringify(makeRecord({ delegatePid: 4711 }))])
      expect(workerIn(text, 1)).toBeUndefined();
  });
});
