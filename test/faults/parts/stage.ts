import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { addressesIn } from "../../real/parts/answers.ts";
import { callHostLocal } from "../../real/parts/bare-host-local.ts";
import { editJson } from "../../real/parts/store.ts";
import type { Subject } from "../../real/parts/subjects.ts";
import type { Difference, Worker } from "../../real/parts/worker.ts";
import * as attachments from "./attachments.ts";

/** A machine, those who live on it, and what its usual calls are like. */
export type Stage = { worker: Worker; subject: Subject; live: attachments.Live; usual: Difference };

/** Whose call is hit by the fault. */
export const mine = "mine:eth0";

/** As if the machine had just been set up. */
export function startAfresh({ worker, live }: Stage): void {
  rmSync(worker.dataDir, { recursive: true, force: true });
  live.clear();
}

/** A store of host-local's from before us, with two who live. */
export async function leaseAsBefore(stage: Stage): Promise<void> {
  startAfresh(stage);
  const { subject, worker, live } = stage;
  for (const id of ["old1", "old2"]) {
    live.set(`${id}:eth0`, addressesIn(await callHostLocal(subject, worker, "ADD", { id })));
  }
}

export async function addLiving({ worker, live, usual }: Stage, names: string[]): Promise<void> {
  for (const name of names) await attachments.addTo(live, worker, name, usual);
}

/** Attachments that no list of the living names. */
export async function addForgotten({ worker, usual }: Stage, names: string[]): Promise<void> {
  for (const name of names) await worker.add(attachments.callFor(name, usual));
}

/** Attachments of an earlier boot. */
export async function addDead(stage: Stage, names: string[]): Promise<void> {
  await addForgotten(stage, names);
  for (const name of names) {
    editJson(join(stage.worker.state(), "attachments", name), { bootID: "an earlier one" });
  }
}

/** What a runtime does after a failed call: DEL and ADD again, ADD of another container; and GC, which leaves the living alone. */
export async function recover({ worker, live, usual }: Stage): Promise<void> {
  const { callFor, collect, expectOnly } = attachments;
  await worker.pass("DEL", callFor(mine, usual));
  const withNew: attachments.Live = new Map(live);
  for (const name of [mine, "new:eth0"]) await attachments.addTo(withNew, worker, name, usual);
  attachments.expectOwned(worker, withNew);
  await collect(worker, withNew, usual);
  expectOnly(worker, withNew);
  await collect(worker, live, usual);
  expectOnly(worker, live);
  expect(attachments.leftovers(worker)).toEqual([]);
}

/** Goes through all cases, whatever becomes of one, on a stage of its own after a failure; what failed is told in the end. */
export async function tryEach<Case>(
  cases: Case[],
  name: (one: Case) => string,
  enter: () => Promise<Stage>,
  play: (stage: Stage, one: Case) => Promise<void>,
): Promise<void> {
  const failures: string[] = [];
  let stage = await enter();
  for (const one of cases) {
    try {
      await play(stage, one);
    } catch (error) {
      failures.push(`${name(one)}: ${(error as Error).message}`);
      stage = await enter();
    }
  }
  expect(failures, `${failures.length} of ${cases.length} cases failed`).toEqual([]);
}
