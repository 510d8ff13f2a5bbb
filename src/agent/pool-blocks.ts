import { setTimeout as pause } from "node:timers/promises";
import { formatHeldBlocks, heldBlocksKey } from "../api/held-blocks.ts";
import type { Part } from "../daemon/part.ts";
import { readText } from "../host/files.ts";
import { bootID, machineIDs, uptime } from "../host/machine.ts";
import { isStatus } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import type { NodeFacts } from "../kube/node.ts";
import { longestCall } from "../request/budget.ts";
import { isObject } from "../text/json.ts";
import { openClient } from "./client.ts";
import {
  type ClosingBlock,
  type ClosingBlocks,
  countLook,
  followClosing,
  isSettled,
} from "./closing-blocks.ts";
import { onHost } from "./config.ts";
import type { AgentContext } from "./context.ts";
import { findHeld, isToldOf } from "./held-by-node.ts";
import { isConnected, silenceOf } from "./last-heard.ts";
import { correctLastWords } from "./last-words.ts";
import { networksIn } from "./networks.ts";
import { getNodeBlock, spanOfBlock, tellHeld, tellNodeBlock } from "./node-blocks.ts";
import { type OwnBlock, ownBlocks } from "./own-blocks.ts";
import { type PoolStores, readPoolStores } from "./pool-stores.ts";
import { openServedBlocks, type ServedBlock } from "./served-blocks.ts";

/** Seconds: between two looks, after which a closing block's last call is over, and between two words on how much is used. */
export type Pace = { look: number; longestCall: number; tell: number };

const usualPace: Pace = { look: 30, longestCall, tell: 300 };

/**
 * The node's side of a block's life: acknowledges that a closing block isn't used any more, tells how much of each is used, and, after a
 * restore of etcd, what this node holds though nobody knows of it. Of a node without pools nothing is read or written.
 */
export async function startPoolBlocks(context: AgentContext, pace: Pace = usualPace): Promise<Part> {
  const { config, log, signal, ownNode } = context;
  let closing: ClosingBlocks = new Map();
  const served = openServedBlocks();
  const tellAt = new Map<string, number>();
  const absentSince = new Map<string, number>();
  const said = new Set<string>();
  let words = "no blocks of pools";

  function sayOnce(what: string, reason: string): void {
    if (said.has(`${what} ${reason}`)) return;
    if (said.size > 1000) said.clear();
    said.add(`${what} ${reason}`);
    log.warn(what, { reason });
  }

  async function look(): Promise<void> {
    const node = ownNode.current();
    const silence = silenceOf(config);
    if (!node || !isConnected(silence)) return;
    const own = ownBlocks(node, (reason) => sayOnce("a pool's annotation is passed over", reason));
    const isTold = isPublished(node);
    const names = own
      .filter((one) => one.closing && (isTold || closing.has(one.name)))
      .map(({ name }) => name);
    closing = followClosing(closing, names, uptime());
    remember(own, node);
    words =
      own.length === 0
        ? "no blocks of pools"
        : `${own.length} blocks of pools, ${closing.size} of them closing`;
    if (own.length === 0 && served.list().length === 0 && !(heldBlocksKey in node.annotations)) return;
    const { places } = await networksIn(context).find();
    const stores = readPoolStores(
      config,
      places.map(({ dataDir }) => dataDir),
    );
    const client = await openClient(context, { requestTimeoutMs: 10_000 });
    try {
      for (const name of [...closing.keys()])
        await attempt(name, () => lookAtClosing(client, name, stores, node));
      for (const block of own) await attempt(block.name, () => tellUsed(client, block, stores));
      await tellWhatIsHeld(client, own, stores, node);
    } finally {
      client.close();
    }
  }

  /** What can't be done for one block is tried at the next look, and done for the others. */
  async function attempt(block: string, act: () => Promise<void>): Promise<void> {
    await act().catch((error: unknown) => {
      const isGone = isStatus(error, 404, 409);
      if (!isGone && !signal.aborted) sayOnce(`block ${block} can't be looked after`, reasonOf(error));
    });
  }

  /** The plugin reads what was published, or asks by itself: both times it sees the block closing from then on. */
  function isPublished({ annotations }: NodeFacts): boolean {
    const text = readText(`${onHost(config, config.runDir)}/node.json`);
    if (text === undefined) return true;
    const value: unknown = JSON.parse(text);
    const there = isObject(value) && isObject(value["node"]) ? value["node"]["annotations"] : undefined;
    return JSON.stringify(there) === JSON.stringify(annotations);
  }

  async function lookAtClosing(
    client: Client,
    name: string,
    stores: PoolStores,
    node: NodeFacts,
  ): Promise<void> {
    const heardAt = uptime() - (silenceOf(config) ?? 0);
    const own = machineIDs(onHost(config, "/etc/machine-id"));
    const hearing = { node, bootID: bootID(), heardAt, now: uptime(), machineIDs: own };
    const stale = correctLastWords(stores.inventories, name, hearing);
    // A call may have gone by one of them just now.
    if (stale > 0) setClosing(name, { since: uptime(), clean: 0 });
    const block = closing.get(name);
    if (block && isSettled(block, uptime(), pace.longestCall)) await drain(client, name, block, stores, node);
  }

  function setClosing(name: string, block: ClosingBlock): void {
    closing = new Map([...closing, [name, block]]);
  }

  async function drain(
    client: Client,
    name: string,
    block: ClosingBlock,
    stores: PoolStores,
    node: NodeFacts,
  ): Promise<void> {
    const object = await getNodeBlock(client, name);
    const span = object && spanOfBlock(object);
    if (!object || !span || object.status?.drained) return;
    if (object.spec.nodeName !== node.name || (!object.spec.closing && object.spec.nodeUID === node.uid))
      return;
    const holder = stores.holder({ name, span });
    const { block: next, isDrained } = countLook(block, holder === "");
    setClosing(name, next);
    if (holder !== "") sayOnce(`block ${name} is closing, and still in use`, holder);
    if (!isDrained || !object.spec.closing) return;
    await tellNodeBlock(client, name, { drained: true, used: 0 }, object);
    log.info("a closing block is not used any more", { block: name });
  }

  /** On change, and not often: each word is a write of the cluster's. */
  async function tellUsed(
    client: Client,
    { name, span, closing: isClosing }: OwnBlock,
    stores: PoolStores,
  ): Promise<void> {
    const known = served.list().find((one) => one.name === name);
    if (!span || !known || isClosing) return;
    const used = stores.used(span);
    if (used === known.told) return;
    const due = tellAt.get(name) ?? uptime() + pace.tell * Math.random();
    tellAt.set(name, due);
    if (uptime() < due) return;
    tellAt.set(name, uptime() + pace.tell * (1 + Math.random()));
    await tellNodeBlock(client, name, { used });
    served.keep(served.list().map((one) => (one.name === name ? { ...one, told: used } : one)));
  }

  function remember(own: OwnBlock[], { uid }: NodeFacts): void {
    const now = own.flatMap(({ name, subnet, span }): ServedBlock[] => {
      const before = served.list().find((one) => one.name === name);
      return span ? [{ name, subnet, span, nodeUID: uid, told: before?.told ?? 0 }] : [];
    });
    const names = new Set(own.map(({ name }) => name));
    for (const name of names) absentSince.delete(name);
    // A NodeBlock that is made again knows nothing of what its forerunner was told.
    const absent = served.list().filter(({ name }) => !names.has(name));
    served.keep([...now, ...absent.map((one) => ({ ...one, told: 0 }))]);
  }

  /** What this node was given, has leases of, and no annotation names any more: forgotten where nothing is leased. */
  async function tellWhatIsHeld(
    client: Client,
    own: OwnBlock[],
    stores: PoolStores,
    node: NodeFacts,
  ): Promise<void> {
    const names = new Set(own.map(({ name }) => name));
    const absent = served.list().filter(({ name }) => !names.has(name));
    for (const { name } of absent) absentSince.set(name, absentSince.get(name) ?? uptime());
    const isOver = ({ name, span }: ServedBlock) =>
      stores.used(span) === 0 && uptime() - (absentSince.get(name) ?? uptime()) > pace.longestCall;
    served.keep(served.list().filter((block) => names.has(block.name) || !isOver(block)));
    const held = await findHeld(client, absent, stores, node.name);
    if (isToldOf(node.annotations[heldBlocksKey], held)) return;
    await tellHeld(client, node, held.length === 0 ? null : formatHeldBlocks(held));
    const blocks = held.map(({ name }) => name);
    if (blocks.length > 0)
      log.warn("this node holds blocks that the cluster doesn't know of: kubectl kube-node rebuild", {
        blocks,
      });
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      await look().catch((error: unknown) => {
        // Without the CRDs there are no pools; what else fails is tried again at the next look.
        words = `the last look failed: ${(error as Error).message}`;
        if (!signal.aborted) sayOnce("blocks of pools can't be looked after", reasonOf(error));
      });
      await pause(pace.look * 1000 * (0.8 + Math.random() * 0.4), undefined, { signal }).catch(() => {});
    }
  }

  const running = run();
  return { name: "pools", stop: () => running, health: () => ({ live: true, ready: true, words }) };
}

function reasonOf(error: unknown): string {
  const { message } = error as Error;
  return isStatus(error, 403) ? `${message}; examples/agent/base has the rights` : message;
}
