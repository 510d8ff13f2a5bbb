// Who lives, seen from the agent: a verdict follows from a record and from evidence alone, and doubt never frees.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Evidence } from "../../src/agent/evidence.ts";
import { findPod, gather, identify } from "../../src/agent/known-pods.ts";
import { judgeFromAgent } from "../../src/agent/verdict.ts";
import { type MountPlace, parseMounts, type Sight } from "../../src/host/namespace-sight.ts";
import type { AttachmentRecord } from "../../src/lease/record.ts";

const netns = "/var/run/netns/cni-1";
const netnsID = "4:100";
const record: AttachmentRecord = {
  version: 1,
  containerID: "c1",
  ifname: "eth0",
  netns,
  netnsID,
  viewpoint: "4:900 4:800",
  pod: { namespace: "default", name: "web", uid: "uid-1" },
  time: "2026-01-01T00:00:00Z",
  bootID: "this",
  uptime: 100,
  nonce: "n",
};
const place = (folders: string[] = [], namespaces: string[] = []): MountPlace => ({
  folders: new Set(folders),
  namespaces: new Set(namespaces),
});
const sight = (places: Record<string, MountPlace>, more: Partial<Sight> = {}): Sight => ({
  processNamespace: "4:800",
  inUse: new Set(),
  near: ["4:1"],
  place: (id) => places[id],
  ...more,
});
const nothing: Evidence = {
  bootID: "this",
  namespaceAt: () => "gone",
  sight: () => undefined,
  newestHolder: () => undefined,
  hasEnded: () => false,
  pods: undefined,
  sandboxes: undefined,
};
const pods = (...uids: string[]) => ({ asOf: 1000, uids: new Set(uids), names: new Set<string>() });
const runtimes = sight({ "4:900": place(["/run/netns"], ["4:7"]), "4:1": place() });
const elsewhere = sight({ "4:1": place(["/run/netns"], ["4:7"]) });
const judge = (evidence: Partial<Evidence>, changes: Partial<AttachmentRecord> = {}) =>
  judgeFromAgent({ containerID: "c1", record: { ...record, ...changes } }, { ...nothing, ...evidence }).state;

describe("a verdict", () => {
  it.each<[string, Partial<Evidence>, Partial<AttachmentRecord>, string]>([
    ["of an earlier boot", {}, { bootID: "before" }, "dead"],
    ["with nothing to be seen", {}, {}, "unknown"],
    ["its path leads to it", { namespaceAt: () => netnsID }, {}, "live"],
    ["a process is in it", { sight: () => sight({}, { inUse: new Set([netnsID]) }) }, {}, "live"],
    ["mounted near", { sight: () => sight({ "4:1": place([], [netnsID]) }) }, {}, "live"],
    [
      "mounted where its runtime stands",
      { sight: () => sight({ "4:900": place(["/x"], [netnsID]) }) },
      {},
      "live",
    ],
    ["gone where its runtime stands", { sight: () => runtimes }, {}, "dead"],
    [
      "gone where its runtime stands, though its pod is there",
      { sight: () => runtimes, pods: pods("uid-1") },
      {},
      "dead",
    ],
    [
      "gone, but its sandbox is ready",
      { sight: () => runtimes, sandboxes: new Map([["c1", { state: "ready", pod: {} }]]) },
      {},
      "live",
    ],
    [
      "gone in a mount namespace of that number that has no such folder",
      { sight: () => sight({ "4:900": place() }) },
      {},
      "unknown",
    ],
    [
      "gone near, which needs no folder",
      { sight: () => sight({ "4:900": place() }, { near: ["4:900"] }) },
      {},
      "dead",
    ],
    [
      "another process namespace's",
      { sight: () => ({ ...runtimes, processNamespace: "4:801" }), pods: pods() },
      {},
      "unknown",
    ],
    ["unseen elsewhere, its pod gone", { sight: () => elsewhere, pods: pods() }, {}, "dead"],
    ["unseen elsewhere, its pod there", { sight: () => elsewhere, pods: pods("uid-1") }, {}, "unknown"],
    ["unseen elsewhere, pods unknown", { sight: () => elsewhere }, {}, "unknown"],
    [
      "unseen elsewhere, its pod newer than what is known of pods",
      { sight: () => elsewhere, pods: { ...pods(), asOf: 99 } },
      {},
      "unknown",
    ],
    ["unseen elsewhere, no sandbox", { sight: () => elsewhere, sandboxes: new Map() }, {}, "dead"],
    [
      "unseen elsewhere, no sandbox, its pod there",
      { sight: () => elsewhere, sandboxes: new Map(), pods: pods("uid-1") },
      {},
      "unknown",
    ],
    [
      "hidden, though its pod is gone",
      { sight: () => sight({ "4:1": place(["/other"]) }), pods: pods() },
      {},
      "unknown",
    ],
    [
      "no namespace was recorded",
      { sight: () => runtimes, pods: pods() },
      { netns: undefined } as never,
      "unknown",
    ],
    ["adopted from a lease", { sight: () => runtimes, pods: pods() }, { bootID: "" }, "unknown"],
    [
      "being released",
      { sight: () => runtimes },
      { releaser: { pid: 1, started: "1", namespace: "4:800" } },
      "unknown",
    ],
    [
      "its release was cut off",
      { sight: () => runtimes, hasEnded: () => true },
      { releaser: { pid: 1, started: "1", namespace: "4:800" } },
      "dead",
    ],
  ])("%s", (_, evidence, changes, state) => {
    expect(judge(evidence, changes)).toBe(state);
  });

  it("doesn't take a later container in a namespace of the same number for its own", () => {
    const later = { ...record, containerID: "c2", netns: "/var/run/netns/cni-2", uptime: 200 };
    const evidence = {
      namespaceAt: (path: string) => (path === later.netns ? netnsID : "gone"),
      sight: () => sight({ "4:900": place(["/run/netns"], [netnsID]) }, { inUse: new Set([netnsID]) }),
      newestHolder: () => later,
    };
    expect(judge({ ...evidence, pods: pods() })).toBe("dead");
    expect(judge({ ...evidence, pods: pods("uid-1") })).toBe("unknown");
    expect(judge(evidence)).toBe("unknown");
    expect(judge({ ...evidence, pods: pods(), newestHolder: () => ({ ...later, uptime: 50 }) })).toBe("live");
    expect(judge({ ...evidence, pods: pods(), newestHolder: () => ({ ...later, containerID: "c1" }) })).toBe(
      "live",
    );
  });

  it("is never dead in this boot where anything is seen of its life, nor without sight of the machine", () => {
    const flag = fc.boolean();
    const facts = fc.record({
      atPath: flag,
      inUse: flag,
      mountedNear: flag,
      ready: flag,
      hasSight: flag,
      podKnown: flag,
      podThere: flag,
      hasPlace: flag,
    });
    fc.assert(
      fc.property(facts, (is) => {
        const look = sight(
          {
            "4:1": place(["/run/netns"], is.mountedNear ? [netnsID] : ["4:7"]),
            ...(is.hasPlace && { "4:900": place(["/run/netns"]) }),
          },
          { inUse: new Set(is.inUse ? [netnsID] : []) },
        );
        const state = judge({
          namespaceAt: () => (is.atPath ? netnsID : "gone"),
          sight: () => (is.hasSight ? look : undefined),
          sandboxes: is.ready ? new Map([["c1", { state: "ready", pod: {} }]]) : undefined,
          pods: is.podKnown ? pods(...(is.podThere ? ["uid-1"] : [])) : undefined,
        });
        const isSeen = is.atPath || is.ready || (is.hasSight && (is.inUse || is.mountedNear));
        if (isSeen) expect(state).toBe("live");
        else if (!is.hasSight) expect(state).toBe("unknown");
        else if (!is.hasPlace && (!is.podKnown || is.podThere)) expect(state).toBe("unknown");
        else expect(state).toBe("dead");
      }),
    );
  });
});

describe("a node's pods", () => {
  const meta = (metadata: object) =>
    identify({ metadata: { namespace: "kube-system", name: "etcd", ...metadata } });
  it("are known by their UIDs, static ones by the hash of their file, too", () => {
    expect(meta({ uid: "u" })).toEqual({ name: "kube-system/etcd", uids: ["u"] });
    const annotations = { "kubernetes.io/config.hash": "h", "kubernetes.io/config.mirror": "h", other: "x" };
    expect(meta({ uid: "u", annotations })?.uids).toEqual(["u", "h", "h"]);
    expect(identify("nonsense")).toBeUndefined();
    const ended = (phase: string) =>
      identify({ metadata: { namespace: "a", name: "b", uid: "u" }, status: { phase } });
    expect(["Succeeded", "Failed", "Running", "Pending"].map((phase) => ended(phase) !== undefined)).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  it("are absent by UID where the record has one, else by name, and never where the attachment is newer than what is known", () => {
    const known = gather([{ name: "default/web", uids: ["new"] }], 1000);
    const find = (pod: AttachmentRecord["pod"], uptime = 100) =>
      findPod(known, { ...(pod && { pod }), uptime });
    expect(find({ namespace: "default", name: "web", uid: "old" })).toBe("absent");
    expect(find({ namespace: "default", name: "web", uid: "new" })).toBe("present");
    expect(find({ namespace: "default", name: "web" })).toBe("present");
    expect(find({ namespace: "default", name: "db" })).toBe("absent");
    expect(find({ uid: "old" }, 1000)).toBe("unknown");
    expect(find({})).toBe("unknown");
    expect(find(undefined)).toBe("unknown");
    expect(findPod(undefined, record)).toBe("unknown");
  });
});

it("reads a mountinfo's network namespaces as stat(2) has them", () => {
  const text = [
    "21 26 0:20 / /proc rw,nosuid shared:12 - proc proc rw",
    "43 42 0:4 net:[4026532177] /run/netns/a rw shared:2 - nsfs nsfs rw",
    "44 42 1:300 net:[5] /run/docker/netns/b rw - nsfs nsfs rw",
    "45 42 0:4 mnt:[7] /run/snapd/ns/x.mnt rw - nsfs nsfs rw",
  ].join("\n");
  expect(parseMounts(text)).toEqual({
    namespaces: new Set(["4:4026532177", `${0x100 + 44 + 0x100000}:5`]),
    folders: new Set(["/run/netns", "/run/docker/netns"]),
  });
});
