import { describe, expect, it } from "vitest";
import { readPoolScenarios, type Scenario, type Step } from "./scenario.ts";
import { PoolWorld } from "./world.ts";

describe("scenarios of pools", () => {
  it.each(readPoolScenarios())("$scenario.title ($file)", ({ scenario }) => play(scenario));
});

function play({ steps }: Scenario): void {
  const world = new PoolWorld();
  for (const [index, step] of steps.entries()) {
    const came = world.take(step);
    const { unplaced = {}, closes = {}, orphans = [], doubts = {}, faults = {}, overlaps = {} } = step;
    const where = `step ${index + 1}${step.why ? `, ${step.why}` : ""}`;
    const { has, annotations, counts, ...told } = came;
    if (step.has) expect(has, where).toEqual(step.has);
    expect(told, where).toEqual({ unplaced, closes, orphans, doubts, faults, overlaps });
    if (step.counts) expect(counts, where).toEqual(expect.objectContaining(asText(step.counts)));
    for (const [node, keys] of Object.entries(step.annotations ?? {}))
      expect(annotations[node], `${where}: annotations of ${node}`).toEqual(keys);
  }
}

function asText(counts: NonNullable<Step["counts"]>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(counts).map(([pool, numbers]) => [pool, numbers.map(String)]));
}
