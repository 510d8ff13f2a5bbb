import { describe, expect, it } from "vitest";
import { executables } from "../parts/plugin.ts";
import { hostLocals } from "../parts/tools.ts";
import { type Call, readScenarios } from "./scenario.ts";
import { type Outcome, World } from "./world.ts";

const compiled = executables().slice(0, 1);

for (const hostLocal of hostLocals()) {
  for (const executable of compiled) {
    describe(`host-local ${hostLocal.label}, ${executable.label}`, () => {
      it.each(readScenarios(import.meta.dirname))("$scenario.title ($file)", async ({ scenario }) => {
        const world = new World(scenario, executable, hostLocal);
        await world.open();
        try {
          for (const [index, step] of scenario.steps.entries()) {
            const outcome = await world.run(step);
            if ("call" in step)
              compare(
                step.call,
                outcome,
                `step ${index + 1}, ${step.call.verb} ${step.call.container ?? ""}`,
              );
          }
        } finally {
          await world.close();
        }
      });
    });
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
