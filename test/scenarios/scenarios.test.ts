import { expect, it } from "vitest";
import { whatLacks } from "../parts/tools.ts";
import { privateMounts } from "../real/parts/private-mounts.ts";
import { describeHostLocals, type Subject } from "../real/parts/subjects.ts";
import { type Call, needsMounts, readScenarios, type Scenario } from "./scenario.ts";
import { type Outcome, World } from "./world.ts";

describeHostLocals("scenarios", (subject) => {
  for (const { file, scenario } of readScenarios(import.meta.dirname)) {
    const lack = whatLacks(needsMounts(scenario) ? privateMounts() : {});
    it.skipIf(lack.some)(`${scenario.title} (${file})${lack.words}`, () => play(scenario, subject));
  }
});

async function play(scenario: Scenario, subject: Subject): Promise<void> {
  const world = new World(scenario, subject);
  await world.open();
  try {
    for (const [index, step] of scenario.steps.entries()) {
      const outcome = await world.run(step);
      if ("call" in step)
        compare(step.call, outcome, `step ${index + 1}, ${step.call.verb} ${step.call.container ?? ""}`);
    }
  } finally {
    await world.close();
  }
}

function compare(call: Call, outcome: Outcome, where: string): void {
  const { exitCode, stdout } = outcome.answer ?? {};
  const result = outcome.answer?.json as
    | { ips?: { address: string }[]; code?: number; msg?: string; details?: string }
    | undefined;
  if (call.error) {
    expect(`${result?.code} ${result?.msg} ${result?.details ?? ""}`, where).toContain(call.error.says);
    expect({ exitCode, code: result?.code }, where).toEqual({ exitCode: 1, code: call.error.code });
  } else {
    expect({ exitCode, stdout: call.verb === "ADD" ? "" : stdout }, `${where}: ${stdout}`).toEqual({
      exitCode: 0,
      stdout: "",
    });
  }
  if (call.addresses)
    expect(
      result?.ips?.map(({ address }) => address),
      where,
    ).toEqual(call.addresses);
  if (call.store) expect(outcome.store, where).toEqual(call.store);
  if (call.records) expect(outcome.records, where).toEqual(call.records);
  if (call.requests !== undefined) expect(outcome.requests, where).toBe(call.requests);
  if (call.log !== undefined) expect(outcome.log, where).toContain(call.log);
}
