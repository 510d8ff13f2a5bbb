import { eachAtOnce } from "../kube/at-once.ts";
import type { Client } from "../kube/client.ts";
import type { CommittedPlan, Holder } from "../split/committed-plan.ts";
import { type Assignment, planSplit, type SplitPlan } from "../split/plan.ts";
import { settleTerms, type WrittenTerms } from "../split/terms.ts";
import { commitPlan, type PlanPlace, readPlan, type StoredPlan } from "./plan-object.ts";
import { shareFresh } from "./share-fresh.ts";
import { readSplitCluster } from "./split-cluster.ts";
import { type Outcome, writeBlock } from "./split-write.ts";

/** What a split is asked for. `given` terms complete those of the plan that is there; `releaseAfter` in milliseconds. */
export type SplitOrder = {
  place: PlanPlace;
  given: WrittenTerms;
  selector: string | undefined;
  releaseAfter: number;
};

/** A plan, what it is to replace, and the Nodes' versions as they were read in between. */
export type Draught = {
  plan: SplitPlan;
  stored: StoredPlan | undefined;
  versions: ReadonlyMap<string, string>;
  notes: string[];
};

export type Write = Assignment & { annotation: string };

/** The plan is read first, Nodes after it: what other runs promised in between makes the commit fail. */
export async function prepareSplit(
  client: Client,
  { place, given, selector, releaseAfter }: SplitOrder,
  onNodes: (done: number, remaining: number) => void,
): Promise<Draught> {
  const stored = await readPlan(client, place);
  const terms = settleTerms(given, stored?.plan.terms);
  const { nodes, reserved, notes } = await readSplitCluster(client, place.key, selector, onNodes);
  const committed = stored?.plan;
  const now = new Date();
  const plan = planSplit({ key: place.key, terms, nodes, reserved, committed, now, releaseAfter });
  return { plan, stored, versions: new Map(nodes.map((node) => [node.uid, node.resourceVersion])), notes };
}

/** The Nodes that are to be written. */
export function writesOf({ assignments }: SplitPlan): Write[] {
  return assignments.filter((one): one is Write => one.annotation !== undefined);
}

const width = 24;

/** Writes until all is done, `isStopped`, or there is no hope for the rest; outcomes by UID, none for those not reached. */
export async function writeBlocks(
  client: Client,
  place: PlanPlace,
  { plan, versions }: Draught,
  isStopped: () => boolean,
  onDone: (done: number) => void,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const writer = {
    client,
    ...place,
    confirm: shareFresh(() =>
      place.dryRun ? Promise.resolve(byUid(plan.committed)) : confirmPlan(client, place),
    ),
  };
  let hopeless = false;
  await eachAtOnce(fromAnywhere(writesOf(plan)), width, async (write) => {
    if (hopeless || isStopped()) return;
    const outcome = await writeBlock(writer, write, versions.get(write.uid) as string);
    outcomes.set(write.uid, outcome);
    hopeless ||= outcome.isHopeless === true;
    onDone(outcomes.size);
  });
  return outcomes;
}

/** In a ring from a random place on, so that two runs at a time seldom want the same Node. */
function fromAnywhere<T>(all: T[]): T[] {
  const start = Math.floor(Math.random() * all.length);
  return [...all.slice(start), ...all.slice(0, start)];
}

/** Commits the plan as it is by now, so that nobody who read it before can change it. */
async function confirmPlan(client: Client, place: PlanPlace): Promise<ReadonlyMap<string, Holder>> {
  for (;;) {
    const stored = await readPlan(client, place);
    if (!stored) throw new Error("the plan was deleted meanwhile: nothing more is written");
    const committed = await commitPlan(client, place, stored.plan, stored);
    if (committed) return byUid(committed.plan);
  }
}

function byUid({ holders }: CommittedPlan): ReadonlyMap<string, Holder> {
  return new Map(holders.map((holder) => [holder.uid, holder]));
}
