import { describe, expect, it } from "vitest";
import { healthAt, longestTry } from "../../src/agent/follow-health.ts";
import { longestSilence } from "../../src/ranges/agent-file.ts";

const start = 1000;
const never = { heardAt: Number.NEGATIVE_INFINITY, triedAt: start, fault: "" };
const heard = { heardAt: start, triedAt: start - 500, fault: "" };

describe("following the own Node", () => {
  it("is well while the API server is heard", () => {
    const well = { live: true, ready: true, words: "the plugin is told of the Node" };
    expect(healthAt(start, heard)).toEqual(well);
    expect(healthAt(start + longestSilence, heard)).toEqual(well);
  });

  it("does not do what it is for while it isn't heard, and is left at work for as long as it tries", () => {
    expect(healthAt(start + longestSilence + 1, heard)).toEqual({
      live: true,
      ready: false,
      words: "the API server was not heard for 16 s; the plugin asks itself",
    });
    expect(healthAt(start + 1, never)).toMatchObject({ live: true, ready: false });
    expect(healthAt(start + 1, never).words).toContain("not heard yet");
    // An outage of an hour, complained of all the time: no restart mends that.
    expect(healthAt(start + 3600, { ...heard, triedAt: start + 3599 })).toMatchObject({ live: true });
  });

  it("has come to a stand where for five minutes it was neither heard nor complained of: /healthz fails", () => {
    expect(longestTry).toBe(300);
    for (const state of [heard, never]) {
      expect(healthAt(start + longestTry, state).live).toBe(true);
      expect(healthAt(start + longestTry + 1, state)).toEqual({
        live: false,
        ready: false,
        words: "it has come to a stand, and has to be started anew",
      });
    }
  });

  it("says what keeps the Node from the plugin, though the API server is heard", () => {
    expect(healthAt(start, { ...heard, fault: "the folder is full" })).toEqual({
      live: true,
      ready: false,
      words: "the folder is full; the plugin asks itself",
    });
  });
});
