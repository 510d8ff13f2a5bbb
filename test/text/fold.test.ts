import { describe, expect, it } from "vitest";
import { fold } from "../../src/text/fold.ts";

describe("fold", () => {
  it.each([
    ["dataDir", "DATADIR"],
    ["dataDir", "datadir"],
    ["ranges", "range\u017f"], // long s
    ["kubeconfig", "\u212aubeconfig"], // Kelvin sign
    ["gateway", "GateWay"],
  ])("%j and %j are one key to Go's encoding/json", (one, other) => {
    expect(fold(other)).toBe(fold(one));
  });

  it.each([
    ["subnet", "subnets"],
    ["rangeStart", "range_start"],
    ["ipv4-namespaces", "ipv4namespaces"],
    ["type", "t\u0443pe"], // a Cyrillic letter
    ["name", "n\u00e4me"],
  ])("%j and %j are two", (one, other) => {
    expect(fold(other)).not.toBe(fold(one));
  });
});
