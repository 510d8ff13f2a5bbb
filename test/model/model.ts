import { parseCidr } from "../../src/address/cidr.ts";
import { parseIp } from "../../src/address/ip.ts";
import { isInside, spanOf } from "../../src/address/range.ts";
import { parseAnnotation } from "../../src/api/annotation.ts";

/** An attachment's name here: `net1/c1:eth0`. */
export type Key = string;

/** What the plugin may believe that the Node says: an annotation's text, none (null), or nothing heard yet (undefined). */
export type Belief = string | null | undefined;

/** What a runtime and an administrator know. Everything else is on the node's disk, and is held against this. */
export type Model = {
  annotation: string | null;
  api: boolean;
  /** By network: the answers that the plugin may have kept. More than one after a call that was killed while it asked. */
  kept: Map<string, Set<Belief>>;
  /** Pods that live, with the addresses that their ADDs gave. */
  live: Map<Key, string[]>;
  /** Attachments whose ADD or DEL was killed: they may hold something. */
  killed: Set<Key>;
  /** The same, of pods that a reboot ended. */
  stale: Set<Key>;
};

export function emptyModel(annotation: string): Model {
  return { annotation, api: true, kept: new Map(), live: new Map(), killed: new Set(), stale: new Set() };
}

/** What the next ADD of a network goes by: of several beliefs, one. */
export function beliefs({ annotation, api, kept }: Model, network: string): Belief[] {
  return api ? [annotation] : [...(kept.get(network) ?? [undefined])];
}

/** A call asked the API server; one that was killed may have, and may have kept the answer. */
export function noteQuestion(model: Model, network: string, { surely }: { surely: boolean }): void {
  if (!model.api) return;
  const before = surely ? [] : (model.kept.get(network) ?? [undefined]);
  model.kept.set(network, new Set([...before, model.annotation]));
}

/** Whether addresses can be had from what the Node says. */
export function isUsable(belief: Belief): belief is string {
  return spansOf(belief) !== undefined;
}

export function isHeld({ live, killed, stale }: Model, key: Key): boolean {
  return live.has(key) || killed.has(key) || stale.has(key);
}

/** One address of each range of a belief, in their order. */
export function fits(belief: Belief, addresses: string[]): boolean {
  const spans = spansOf(belief);
  return spans?.length === addresses.length && spans.every(({ span }, i) => isIn(span, addresses[i] ?? ""));
}

/** Some range of this belief has no address left, the taken ones being `taken`. */
export function isFull(belief: Belief, taken: string[]): boolean {
  return (spansOf(belief) ?? []).some(
    ({ span, room }) => taken.filter((address) => isIn(span, address)).length >= room,
  );
}

type Span = ReturnType<typeof spanOf>;

function isIn(span: Span, address: string): boolean {
  const ip = parseIp(address);
  return ip !== undefined && isInside(span, ip);
}

function spansOf(belief: Belief): { span: Span; room: number }[] | undefined {
  try {
    return parseAnnotation(belief ?? "").ranges.map(([range]) => {
      if (!range) throw new TypeError("an empty range set");
      const span = spanOf(range);
      const gateway = (parseCidr(range.subnet)?.ip.value ?? 0n) + 1n;
      const holdsGateway = span.first.value <= gateway && gateway <= span.last.value;
      return { span, room: Number(span.last.value - span.first.value + 1n) - (holdsGateway ? 1 : 0) };
    });
  } catch {
    return undefined;
  }
}
