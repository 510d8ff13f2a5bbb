// Two looks and the grace period: nothing is freed that was not suspected, for the same reason, all the while.
import fc from "fast-check";
import { expect, it } from "vitest";
import { nameOf, type PlacedLeak, type Suspects, suspect } from "../../src/agent/suspects.ts";

const leak = (subject: string, freeable = true): PlacedLeak => ({
  kind: "dead",
  subject,
  reason: "",
  freeable,
  network: "net1",
  dataDir: "/d",
});

it("frees only what every look of the grace period has found", () => {
  const found = fc.array(fc.constantFrom("a", "b", "c", "d"));
  const looks = fc.array(fc.record({ pause: fc.integer({ min: 1, max: 3000 }), found }), { maxLength: 30 });
  fc.assert(
    fc.property(looks, fc.integer({ min: 0, max: 5000 }), (all, grace) => {
      let suspects: Suspects = new Map();
      let now = 0;
      const since = new Map<string, number>();
      for (const { pause, found } of all) {
        now += pause;
        const subjects = [...new Set(found)];
        const seen = suspect(
          suspects,
          subjects.map((subject) => leak(subject)),
          now,
          grace,
        );
        const expected = subjects.filter(
          (subject) => since.has(subject) && now - (since.get(subject) ?? now) >= grace,
        );
        expect(seen.due.map(({ subject }) => subject)).toEqual(expected);
        for (const subject of [...since.keys()])
          if (!(subjects as string[]).includes(subject)) since.delete(subject);
        for (const subject of subjects) if (!since.has(subject)) since.set(subject, now);
        suspects = seen.suspects;
      }
    }),
  );
});

it("frees nothing that may not be freed, and takes an attachment that was made anew for another", () => {
  const first = suspect(new Map(), [leak("a", false)], 0, 0);
  expect(suspect(first.suspects, [leak("a", false)], 10, 0).due).toEqual([]);
  const holding = (link: string) =>
    ({ containerID: "c1", ifname: "eth0", leases: [], record: { links: [link] } }) as unknown as NonNullable<
      PlacedLeak["holding"]
    >;
  expect(nameOf({ ...leak("a"), holding: holding("n1") })).not.toBe(
    nameOf({ ...leak("a"), holding: holding("n2") }),
  );
});
