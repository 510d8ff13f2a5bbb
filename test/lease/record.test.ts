import {
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { overwriteOwn } from "../../src/host/files.ts";
import {
  type AttachmentRecord,
  adoptLease,
  claim,
  type FoundRecord,
  findRecord,
  noteDelegate,
  recordName,
  removeRecord,
} from "../../src/lease/record.ts";
import { workerIn } from "../../src/lease/record-text.ts";
import { testFolder } from "../host/folder.ts";
import { callElsewhere, race } from "../host/other-process.ts";
import { root, strace, whatLacks } from "../parts/tools.ts";
import { makeRecord, takeOver } from "./take-over.ts";

const asRoot = whatLacks(root());
const traced = whatLacks(strace());
const target: [string, string] = ["../test/lease/take-over.ts", takeOver.name];
const refuse = () => {
  throw new Error("held");
};

describe("claim", () => {
  it("writes the whole record, for this user alone", () => {
    const folder = testFolder();
    const record = makeRecord();
    const { path } = claim(folder, record, refuse);
    expect(path).toBe(join(folder, "c1:eth0"));
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ ...record, delegatePid: 0 });
    expect(findRecord(folder, "c1", "eth0")?.record).toEqual(record);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["c1:eth0"]);
  });

  it("has a held claim judged, with what is known of it", () => {
    const folder = testFolder();
    const first = makeRecord();
    claim(folder, first, refuse);
    const seen: FoundRecord[] = [];
    const judge = (held: FoundRecord) => {
      seen.push(held);
      throw new Error("held");
    };
    expect(() => claim(folder, makeRecord(), judge)).toThrow("held");
    expect(seen).toMatchObject([{ nonce: first.nonce, record: first }]);
    expect(readdirSync(folder)).toEqual(["c1:eth0"]);
  });

  it("keeps interfaces and containers apart", () => {
    const folder = testFolder();
    for (const ifname of ["eth0", "eth1"])
      for (const containerID of ["c1", "c2"]) claim(folder, makeRecord({ containerID, ifname }), refuse);
    expect(readdirSync(folder)).toHaveLength(4);
    expect(findRecord(folder, "c2", "eth1")?.record).toMatchObject({ containerID: "c2", ifname: "eth1" });
  });

  it("takes a dead one over, and is what is found from then on", () => {
    const folder = testFolder();
    const [dead, next] = [makeRecord(), makeRecord({ time: "2026-01-01T00:00:00Z" })];
    claim(folder, dead, refuse);
    claim(folder, next, () => {});
    expect(findRecord(folder, "c1", "eth0")?.record).toEqual(next);
  });

  it("can be taken over any number of times without a DEL", () => {
    const folder = testFolder();
    const containerID = "f".repeat(64);
    for (let i = 0; i < 40; i++) {
      const record = makeRecord({ containerID, uptime: i, nonce: `4194304-zz${i}zzz` });
      claim(folder, record, () => {});
      expect(findRecord(folder, containerID, "eth0")?.record).toEqual(record);
    }
  });

  it("says where there is no folder yet", () => {
    const folder = join(testFolder(), "absent");
    expect(() => claim(folder, makeRecord(), refuse)).toThrow(expect.objectContaining({ code: "ENOENT" }));
  });

  it.each(["folder", "link"])("never goes round in a circle for a %s in the record's place", async (what) => {
    const folder = testFolder();
    if (what === "folder") mkdirSync(join(folder, "c1:eth0"));
    else symlinkSync("nowhere", join(folder, "c1:eth0"));
    const outcome = await callElsewhere("node", target, [folder, []], { timeout: 3000 });
    expect(outcome.error?.name).not.toBe("Ended");
  });

  it.skipIf(asRoot.some)(
    `never goes round in a circle for a record of another user's${asRoot.words}`,
    async () => {
      const folder = testFolder();
      writeFileSync(join(folder, "c1:eth0"), "c1\r\neth0");
      chownSync(join(folder, "c1:eth0"), 12345, 12345);
      const outcome = await callElsewhere("node", target, [folder, []], { timeout: 3000 });
      expect(outcome.error?.name).not.toBe("Ended");
    },
  );
});

describe("fifty processes at once", () => {
  const runtime = (index: number) => (index % 10 === 0 ? "node" : "bun");

  it.each<[string, (folder: string) => string[]]>([
    ["a free name", () => []],
    ["a stale claim", (folder) => makeChain(folder, ["dead"])],
    ["the end of a chain of stale claims", (folder) => makeChain(folder, ["dead-1", "dead-2", "dead-3"])],
    [
      "a damaged record",
      (folder) => {
        writeFileSync(join(folder, "c1:eth0"), '{"version": 1, "contai');
        return [findRecord(folder, "c1", "eth0")?.nonce ?? ""];
      },
    ],
  ])("race for %s: exactly one wins", async (_, prepare) => {
    const [folder, meeting] = [testFolder(), testFolder()];
    const dead = prepare(folder);
    const outcomes = await race<string>(50, meeting, (index) => [runtime(index), target, [folder, dead]]);
    const winners = outcomes.flatMap(({ value }) => value ?? []);
    expect(outcomes.filter(({ error }) => error && error.message !== "held by another")).toEqual([]);
    expect(winners).toHaveLength(1);
    expect(findRecord(folder, "c1", "eth0")?.nonce).toBe(winners[0]);
    expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
  });
});

describe("findRecord", () => {
  it("finds none where there is none", () => {
    expect(findRecord(testFolder(), "c1", "eth0")).toBeUndefined();
    expect(findRecord(join(testFolder(), "absent"), "c1", "eth0")).toBeUndefined();
    expect(findRecord(testFolder(), "c".repeat(300), "eth0")).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ["nothing", ""],
    ["blanks", " \n"],
    ["zeros, as a power cut leaves them", "{\0\0\0\0"],
    ["half of it", JSON.stringify(makeRecord()).slice(0, 100)],
    ["a later version", { ...makeRecord(), version: 2 }],
    ["no nonce", { ...makeRecord(), nonce: undefined }],
    ["a nonce that is a path", { ...makeRecord(), nonce: "../../x" }],
    ["a nonce that is too long", { ...makeRecord(), nonce: "n".repeat(41) }],
    ["a container that is a number", { ...makeRecord(), containerID: 5 }],
    ["a configuration that is a list", { ...makeRecord(), ipam: [] }],
    ["a delegate that is a list", { ...makeRecord(), delegate: ["sh"] }],
    ["an uptime that is a text", { ...makeRecord(), uptime: "1" }],
    ["brackets", "{".repeat(10_000)],
  ])("of a damaged record knows its time alone: %s", (_, content) => {
    const folder = testFolder();
    const path = join(folder, "c1:eth0");
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
    const found = findRecord(folder, "c1", "eth0");
    expect(found).toEqual({ path, mtimeMs: statSync(path).mtimeMs, nonce: `ino${statSync(path).ino}` });
  });

  it("of a damaged record that is very long knows its time alone", () => {
    const folder = testFolder();
    writeFileSync(join(folder, "c1:eth0"), "\0".repeat(2 << 20));
    expect(findRecord(folder, "c1", "eth0")).not.toHaveProperty("record");
  });

  it("takes a lease of before us for a record of itself", () => {
    const folder = testFolder();
    const path = join(folder, "c1:eth0");
    writeFileSync(path, "c1\r\neth0");
    utimesSync(path, 1_700_000_000, 1_700_000_000);
    expect(findRecord(folder, "c1", "eth0")?.record).toEqual({
      version: 1,
      containerID: "c1",
      ifname: "eth0",
      time: "2023-11-14T22:13:20.000Z",
      bootID: "",
      uptime: 0,
      nonce: "lease1700000000000",
    } satisfies AttachmentRecord);
  });

  it("lets a damaged record be taken over", () => {
    const folder = testFolder();
    writeFileSync(join(folder, "c1:eth0"), "{");
    const next = makeRecord();
    claim(folder, next, () => {});
    expect(findRecord(folder, "c1", "eth0")?.record).toEqual(next);
  });
});

describe("removeRecord", () => {
  it("removes the whole chain, and nobody else's", () => {
    const folder = testFolder();
    for (let i = 0; i < 3; i++) claim(folder, makeRecord(), () => {});
    claim(folder, makeRecord({ ifname: "eth1" }), refuse);
    claim(folder, makeRecord({ containerID: "c10" }), refuse);
    removeRecord(folder, "c1", "eth0");
    expect(readdirSync(folder).sort()).toEqual(["c10:eth0", "c1:eth1"]);
    expect(findRecord(folder, "c1", "eth0")).toBeUndefined();
  });

  it("has nothing to do where there is none", () => {
    removeRecord(testFolder(), "c1", "eth0");
    removeRecord(join(testFolder(), "absent"), "c1", "eth0");
    expect(() => removeRecord(testFolder(), "c".repeat(300), "eth0")).not.toThrow();
  });

  it("removes damaged ones", () => {
    const folder = testFolder();
    writeFileSync(join(folder, "c1:eth0"), "");
    claim(folder, makeRecord(), () => {});
    removeRecord(folder, "c1", "eth0");
    expect(readdirSync(folder)).toEqual([]);
  });

  it.skipIf(traced.some)(
    `puts the holder's link in the places of the dead, so that none comes back${traced.words}`,
    async () => {
      const [folder, log] = [testFolder(), join(testFolder(), "trace")];
      const made = ["one", "two", "three"].map(
        (nonce) => claim(folder, makeRecord({ nonce }), () => {}).path,
      );
      const before = ["strace", "-f", "-e", "trace=rename,unlink,unlinkat", "-o", log];
      await callElsewhere("node", ["lease/record.ts", "removeRecord"], [folder, "c1", "eth0"], { before });
      const calls = [...readFileSync(log, "utf8").matchAll(/"([^"]*)"/g)].map(([, path]) => path);
      expect(calls).toEqual([made[2], made[1], made[1], made[0], made[0]]);
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  it("does nothing where another one holds it by now than the one that is to let go", () => {
    const folder = testFolder();
    claim(folder, makeRecord({ nonce: "dead" }), refuse);
    claim(folder, makeRecord({ nonce: "new" }), () => {});
    removeRecord(folder, "c1", "eth0", "dead");
    expect(findRecord(folder, "c1", "eth0")?.nonce).toBe("new");
    removeRecord(folder, "c1", "eth0", "new");
    expect(readdirSync(folder)).toEqual([]);
  });

  it("while another one is about to take the claim over: that one claims it anew", () => {
    const folder = testFolder();
    claim(folder, makeRecord({ nonce: "dead" }), () => {});
    const { path } = claim(folder, makeRecord({ nonce: "new" }), () => removeRecord(folder, "c1", "eth0"));
    expect(path).toBe(join(folder, "c1:eth0"));
    expect(readdirSync(folder)).toEqual(["c1:eth0"]);
    expect(findRecord(folder, "c1", "eth0")?.nonce).toBe("new");
  });
});

describe("noteDelegate", () => {
  it("writes down the process, and nothing else is another", () => {
    const folder = testFolder();
    const held = claim(folder, makeRecord(), refuse);
    noteDelegate(held, 4711);
    expect(findRecord(folder, "c1", "eth0")?.record).toEqual({ ...held.record, delegatePid: 4711 });
    expect(readdirSync(folder)).toEqual(["c1:eth0"]);
  });

  it("overwrites a few bytes of the very file, as often as it is told", () => {
    const folder = testFolder();
    const held = claim(folder, makeRecord(), refuse);
    const before = statSync(held.path);
    for (const pid of [4_194_304, 7, 4711]) {
      noteDelegate(held, pid);
      expect(findRecord(folder, "c1", "eth0")?.record).toEqual({ ...held.record, delegatePid: pid });
    }
    const after = statSync(held.path);
    expect([after.ino, after.size]).toEqual([before.ino, before.size]);
  });

  it.skipIf(traced.some)(`renames nothing and makes no file${traced.words}`, async () => {
    const [folder, log] = [testFolder(), join(testFolder(), "trace")];
    const held = claim(folder, makeRecord(), refuse);
    const before = ["strace", "-f", "-e", "trace=openat,rename,link,pwrite64", "-o", log];
    const { error } = await callElsewhere("bun", ["lease/record.ts", "noteDelegate"], [held, 4711], {
      before,
    });
    expect(error).toBeUndefined();
    const calls = readFileSync(log, "utf8").split("\n");
    expect(calls.filter((call) => call.includes("O_CREAT") && call.includes(folder))).toEqual([]);
    expect(calls.filter((call) => /rename\(|link\(/.test(call))).toEqual([]);
    expect(calls.filter((call) => /pwrite64\(\d+, "0000004711", 10, 17\)/.test(call))).toHaveLength(1);
    expect(findRecord(folder, "c1", "eth0")?.record?.delegatePid).toBe(4711);
  });

  it("hits nobody else's record, even one that gets the name after the old one was read", () => {
    const folder = testFolder();
    const held = claim(folder, makeRecord({ nonce: "old" }), refuse);
    const fresh = testFolder();
    const { record, path } = claim(fresh, makeRecord({ nonce: "new" }), refuse);
    overwriteOwn(held.path, ({ text }) => {
      renameSync(path, held.path);
      return workerIn(text, 4711);
    });
    expect(findRecord(folder, "c1", "eth0")?.record).toEqual(record);
  });

  it("writes a record of an older release anew, which has no place for the process", () => {
    const folder = testFolder();
    const held = claim(folder, makeRecord(), refuse);
    for (const old of [held.record, { ...held.record, delegatePid: 99 }]) {
      writeFileSync(held.path, JSON.stringify(old));
      noteDelegate(held, 4711);
      expect(findRecord(folder, "c1", "eth0")?.record).toEqual({ ...held.record, delegatePid: 4711 });
      noteDelegate(held, 4712);
      expect(findRecord(folder, "c1", "eth0")?.record?.delegatePid).toBe(4712);
    }
  });

  it("writes nothing into a lease that was adopted: that file is host-local's, too", () => {
    const folder = testFolder();
    const [lease, path] = [join(testFolder(), "10.1.2.3"), join(folder, "c1:eth0")];
    writeFileSync(lease, "c1\r\neth0");
    adoptLease(folder, lease, "c1", "eth0");
    const record = findRecord(folder, "c1", "eth0")?.record as AttachmentRecord;
    noteDelegate({ folder, path, record }, 4711);
    expect(readFileSync(lease, "utf8")).toBe("c1\r\neth0");
  });

  it("brings back nothing that was let go of, and overwrites nobody", () => {
    const folder = testFolder();
    const gone = claim(folder, makeRecord({ nonce: "gone" }), refuse);
    removeRecord(folder, "c1", "eth0");
    noteDelegate(gone, 4711);
    expect(readdirSync(folder)).toEqual([]);
    const { record } = claim(folder, makeRecord({ nonce: "new" }), refuse);
    noteDelegate(gone, 4711);
    expect(findRecord(folder, "c1", "eth0")?.record).toEqual(record);
  });
});

describe("recordName", () => {
  it("says to everybody whose it is", () => {
    expect(recordName("c1", "eth0")).toBe("c1:eth0");
    expect(recordName("c1", "")).toBe("c1:");
  });
});

function makeChain(folder: string, nonces: string[]): string[] {
  for (const nonce of nonces) claim(folder, makeRecord({ nonce }), () => {});
  return nonces;
}
