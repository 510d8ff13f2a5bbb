// What can happen to a node, as fast-check's commands: each does it, and says what had to come of it.
import {
  type Arbitrary,
  type AsyncCommand,
  constant,
  constantFrom,
  integer,
  oneof,
  option,
  record,
} from "fast-check";
import { expect } from "vitest";
import type { Fault } from "../parts/embedded/fault.ts";
import { expectOrder } from "./invariants.ts";
import { type Kill, keyOf, type Machine, networks, type Outcome } from "./machine.ts";
import { beliefs, fits, isFull, isHeld, isUsable, type Key, type Model, noteQuestion } from "./model.ts";

export type Command = AsyncCommand<Model, Machine>;

/** Annotations that overlap, that are small, that are of other families, that are none. */
const annotations = [
  "10.1.0.0/29",
  "10.1.0.0/28",
  "10.1.0.4-10.1.0.5/29",
  "10.1.0.5-10.1.0.6/29",
  "10.2.0.0/29,fd00:2::/64",
  "fd00:3::/125",
  "10.1.0.0/29,rubbish",
  null,
];

/** Those that asking again can't help, so that nobody waits. */
const outages: Fault[] = ["status401", "status403"];

/** `end` in ms since 1970; steps and lives so far. */
export type Clock = { end: number; steps: number; lives: number };

/** All commands, the usual ones more often. */
export function allCommands(clock: Clock): Arbitrary<Command>[] {
  const make = (words: string, run: Command["run"]): Command => ({
    check: () => Date.now() < clock.end,
    run: async (model, machine) => {
      await run(model, machine);
      expectOrder(model, machine);
      clock.steps++;
    },
    toString: () => words,
  });
  const network = constantFrom(...networks);
  const attachment = record({
    id: constantFrom("c1", "c2", "c3", "c4"),
    ifname: constantFrom("eth0", "eth0", "net1"),
  });
  const key = record({ network, attachment }).map(({ network, attachment: { id, ifname } }) => ({
    network,
    key: keyOf(network, `${id}:${ifname}`),
  }));
  const kill = option(record({ afterMs: integer({ min: 1, max: 40 }), alone: constantFrom(true, false) }), {
    freq: 5,
  });
  const named = (verb: string, key: string, kill: Kill | null) =>
    `${verb} ${key}${kill ? `, killed after ${kill.afterMs} ms${kill.alone ? " alone" : ""}` : ""}`;

  const adding = record({ key, kill }).map(({ key: { network, key }, kill }) =>
    make(named("ADD", key, kill), async (model, machine) => {
      const outcome = await machine.call({ verb: "ADD", network, key, ...(kill && { kill }) });
      expectAdd(model, machine, network, key, outcome);
    }),
  );
  const twice = key.map(({ network, key }) =>
    make(`ADD ${key} twice at once`, async (model, machine) => {
      const before = new Set(model.killed);
      const calls = [1, 2].map(() => machine.call({ verb: "ADD", network, key }));
      const outcomes = await Promise.all(calls);
      const won = outcomes.filter(({ kind }) => kind === "done");
      expect(won.length, wordsOf(outcomes)).toBeLessThanOrEqual(1);
      const [loser, other] = outcomes.toSorted(
        (a, b) => Number(a.kind === "done") - Number(b.kind === "done"),
      );
      if (won.length === 0 || before.has(key)) {
        for (const outcome of outcomes) expectAdd(model, machine, network, key, outcome, { contended: true });
        return;
      }
      expectAdd(model, machine, network, key, other as Outcome);
      expect(loser).toMatchObject({
        kind: "failed",
        code: expect.toSatisfy((code) => [11, 101].includes(code as number)),
      });
    }),
  );
  const together = network.map((network) =>
    make(`ADD ${network}/c1…c4:eth0 at once`, async (model, machine) => {
      const keys = ["c1", "c2", "c3", "c4"].map((id) => keyOf(network, `${id}:eth0`));
      const outcomes = await Promise.all(keys.map((key) => machine.call({ verb: "ADD", network, key })));
      // Who got an address counts before it is asked whether the range is full.
      const order = keys.map((key, i) => ({ key, outcome: outcomes[i] as Outcome }));
      order.sort((a, b) => Number(a.outcome.kind !== "done") - Number(b.outcome.kind !== "done"));
      for (const { key, outcome } of order) expectAdd(model, machine, network, key, outcome);
    }),
  );
  const deleting = record({ key, kill }).map(({ key: { network, key }, kill }) =>
    make(named("DEL", key, kill), async (model, machine) => {
      const outcome = await machine.call({ verb: "DEL", network, key, ...(kill && { kill }) });
      if (outcome.kind === "killed") {
        if (model.live.delete(key)) model.killed.add(key);
        return;
      }
      expect(outcome.kind, outcome.words).toBe("done");
      for (const set of [model.live, model.killed, model.stale]) set.delete(key);
    }),
  );
  const checking = key.map(({ network, key }) =>
    make(`CHECK ${key}`, async (model, machine) => {
      const outcome = await machine.call({ verb: "CHECK", network, key });
      if (model.live.has(key)) expect(outcome.kind, outcome.words).toBe("done");
      else if (!isHeld(model, key)) expect(outcome.kind, outcome.words).toBe("failed");
    }),
  );
  const collecting = record({ network, kill }).map(({ network, kill }) =>
    make(named("GC", network, kill), async (model, machine) => {
      const valid = [...model.live.keys()].filter((key) => key.startsWith(`${network}/`));
      const outcome = await machine.call({ verb: "GC", network, valid, ...(kill && { kill }) });
      if (outcome.kind === "killed") return;
      expect(outcome.kind, outcome.words).toBe("done");
      for (const set of [model.killed, model.stale]) {
        for (const key of set) if (key.startsWith(`${network}/`)) set.delete(key);
      }
    }),
  );
  const asking = network.map((network) =>
    make(`STATUS ${network}`, async (model, machine) => {
      const possible = beliefs(model, network);
      const outcome = await machine.call({ verb: "STATUS", network });
      noteQuestion(model, network, { surely: true });
      if (possible.every(isUsable)) expect(outcome.kind, outcome.words).toBe("done");
      if (!possible.some(isUsable))
        expect(outcome, outcome.words).toMatchObject({ kind: "failed", code: 50 });
    }),
  );
  const annotating = constantFrom(...annotations).map((value) =>
    make(
      value === null ? "the annotation is removed" : `the annotation is ${value}`,
      async (model, machine) => {
        await machine.annotate(value);
        model.annotation = value;
      },
    ),
  );
  const breaking = constantFrom(...outages).map((fault) =>
    make(`the API server is gone (${fault})`, async (model, machine) => {
      await machine.break(fault);
      model.api = false;
    }),
  );
  const mending = constant(
    make("the API server is back", async (model, machine) => {
      await machine.break(null);
      model.api = true;
    }),
  );
  const rebooting = constant(
    make("reboot", async (model, machine) => {
      machine.reboot();
      for (const key of [...model.live.keys(), ...model.killed]) model.stale.add(key);
      model.live.clear();
      model.killed.clear();
    }),
  );
  const waiting = constant(make("five minutes pass", async (_, machine) => machine.wait()));
  const often = [adding, adding, adding, deleting, deleting];
  return [
    ...often,
    twice,
    together,
    checking,
    collecting,
    asking,
    oneof(annotating, mending),
    oneof(annotating, breaking),
    oneof(mending, rebooting, waiting),
  ];
}

/** What an ADD may end with; `contended`: another one was at work for the same attachment. */
function expectAdd(
  model: Model,
  machine: Machine,
  network: string,
  key: Key,
  outcome: Outcome,
  { contended = false } = {},
): void {
  const possible = beliefs(model, network);
  noteQuestion(model, network, { surely: outcome.kind !== "killed" });
  if (outcome.kind === "killed") {
    if (!model.live.has(key) && !model.stale.has(key)) model.killed.add(key);
    if (model.stale.delete(key)) model.killed.add(key);
  } else if (outcome.kind === "done") {
    expect(model.live.has(key), `${key} lives: ${outcome.words}`).toBe(false);
    expect(
      possible.some((belief) => fits(belief, outcome.addresses)),
      outcome.words,
    ).toBe(true);
    model.killed.delete(key);
    model.stale.delete(key);
    model.live.set(key, outcome.addresses);
  } else {
    const reasons = allowedCodes(model, machine, network, key, contended);
    expect(reasons, outcome.words).toContain(outcome.code);
  }
}

function allowedCodes(
  model: Model,
  machine: Machine,
  network: string,
  key: Key,
  contended: boolean,
): number[] {
  const codes: number[] = [];
  for (const belief of beliefs(model, network)) {
    if (belief === undefined) codes.push(11);
    else if (!isUsable(belief)) codes.push(103);
    // The stale ones had to make room; a full range is no excuse for a pod that already has addresses.
    else if (isFull(belief, heldNow(model, machine, network))) codes.push(999);
  }
  if (model.live.has(key)) codes.push(101);
  if (model.killed.has(key) || contended) codes.push(11, 101);
  return codes;
}

/** Addresses of the store that nobody may take away. */
function heldNow({ stale }: Model, machine: Machine, network: string): string[] {
  return [...machine.leases(network)].filter(([, key]) => !stale.has(key)).map(([address]) => address);
}

function wordsOf(outcomes: Outcome[]): string {
  return outcomes.map(({ words }) => words).join("\n");
}
