// Who lives, as a record and what is seen from here tell; the words are read beside the record's own facts.
import { describe, expect, it } from "vitest";
import { judgeFromAgent } from "../../src/agent/verdict.ts";
import { judge, type View } from "../../src/lease/liveness.ts";
import type { AttachmentRecord } from "../../src/lease/record.ts";

const view: View = { bootID: "this", viewpoint: "4:900 4:800", namespacesInUse: () => new Set() };
const record: AttachmentRecord = {
  version: 1,
  containerID: "c1",
  ifname: "eth0",
  time: "2026-01-01T00:00:00Z",
  bootID: "this",
  uptime: 100,
  nonce: "n",
};

describe("a record without a namespace's identity", () => {
  it.each([
    [undefined, "its ADD named no network namespace"],
    [
      "/var/run/netns/x",
      "its network namespace /var/run/netns/x wasn't seen at its ADD, so it can't be told from another",
    ],
  ])("of an ADD in %s", (netns, reason) => {
    const one = { ...record, ...(netns !== undefined && { netns }) };
    expect(judge({ record: one }, view)).toEqual({ state: "unknown", reason });
    const evidence = {
      ...{ bootID: "this", namespaceAt: () => "gone", sight: () => undefined, newestHolder: () => undefined },
      ...{ hasEnded: () => false, pods: undefined, sandboxes: undefined },
    };
    expect(judgeFromAgent({ containerID: "c1", record: one }, evidence)).toEqual({
      state: "unknown",
      reason,
    });
  });
});
