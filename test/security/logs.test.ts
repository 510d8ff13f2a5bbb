// The log: whole lines whatever runs at once, whatever is done to the file, and no call that stops for it.
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { addressesIn } from "../real/parts/answers.ts";
import { makeWorker } from "../real/parts/worker.ts";
import { describeOne } from "./subject.ts";

const key = "example.com/net1";
/** At level debug it stands in the log: lines that are longer than what a pipe takes at once, and than a page. */
const annotation = `[[{"subnet":"10.1.0.0/24"}],[{"subnet":"10.2.0.0/24"}]]${" ".repeat(30_000)}`;
const count = 20;

type Line = { pid: number; msg: string; level: number; network: string };

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeOne("the log", (subject) => {
  const make = () => makeWorker(server, subject, { annotations: { [key]: annotation } });
  const linesOf = (path: string): Line[] => {
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    expect(text === "" || text.endsWith("\n")).toBe(true);
    return text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  };
  const ipam = { annotation: key, loglevel: "trace" };

  /** What one call writes, by its messages. */
  const wholeStory = (lines: Line[], pid: number) =>
    lines.filter((line) => line.pid === pid).map(({ msg }) => msg);

  it("has one line an event, whole, of calls at once", async () => {
    const worker = await make();
    const logfile = join(worker.folder, "trace.log");
    const ids = Array.from({ length: count }, (_, i) => `c${i}`);
    for (const answer of await Promise.all(
      ids.map((id) => worker.call("ADD", { id, ipam: { ...ipam, logfile } })),
    )) {
      expect(addressesIn(answer)).toHaveLength(2);
    }
    const lines = linesOf(logfile);
    const pids = new Set(lines.map(({ pid }) => pid));
    expect(pids.size).toBe(count);
    for (const pid of pids)
      expect(wholeStory(lines, pid)).toEqual(["node ranges", "to the delegate", "from the delegate"]);
    expect(
      Math.max(
        ...readFileSync(logfile, "utf8")
          .split("\n")
          .map(({ length }) => length),
      ),
    ).toBeGreaterThan(10_000);
    expect(statSync(logfile).mode & 0o137).toBe(0);
  });

  it("loses nothing where it is rotated underneath, with a new file or without", async () => {
    const worker = await make();
    const logfile = join(worker.folder, "rotated.log");
    const ids = Array.from({ length: count }, (_, i) => `c${i}`);
    const calls = Promise.all(ids.map((id) => worker.call("ADD", { id, ipam: { ...ipam, logfile } })));
    const rotated: string[] = [];
    let over = false;
    const rotating = (async () => {
      while (!over) {
        await sleep(15);
        if (!existsSync(logfile)) continue;
        rotated.push(`${logfile}.${rotated.length}`);
        renameSync(logfile, rotated.at(-1) as string);
        if (rotated.length % 2 === 0) writeFileSync(logfile, "", { flag: "a" });
      }
    })();
    for (const answer of await calls) expect(addressesIn(answer)).toHaveLength(2);
    over = true;
    await rotating;
    const lines = [...rotated, logfile].flatMap(linesOf);
    expect(rotated.length).toBeGreaterThan(1);
    const pids = new Set(lines.map(({ pid }) => pid));
    expect(pids.size).toBe(count);
    for (const pid of pids)
      expect(wholeStory(lines, pid).sort()).toEqual(["from the delegate", "node ranges", "to the delegate"]);
  });

  const places: Record<string, (folder: string) => string> = {
    "in a folder that isn't there": (folder) => join(folder, "absent/log"),
    "a folder": making("log-folder", mkdirSync),
    "below a file": (folder) => join(making("file", (path) => writeFileSync(path, ""))(folder), "log"),
    "a pipe that nobody reads": making("pipe", (path) => execFileSync("mkfifo", [path])),
    "a full device": () => "/dev/full",
    "a link that goes round": making("round", (path) => symlinkSync("round", path)),
    "a name that is too long": (folder) => join(folder, "x".repeat(300)),
    "a file of /proc": () => "/proc/version",
    "of a name with a NUL's neighbours": (folder) => join(folder, "\u0001\n\u007f"),
  };

  it.each(Object.entries(places))("stops no call where it is %s", async (_, place) => {
    const worker = await make();
    const logfile = place(worker.folder);
    for (const [verb, id] of [
      ["ADD", "c1"],
      ["CHECK", "c1"],
      ["DEL", "c1"],
    ] as const) {
      const answer = await worker.call(verb, { id, ipam: { ...ipam, logfile } });
      expect(answer, answer.stdout).toMatchObject({ exitCode: 0, timedOut: false });
      expect(answer.stdout).not.toContain("node ranges");
    }
    expect(worker.leases()).toEqual({});
  });
});

/** The path of something that is made there first. */
function making(name: string, make: (path: string) => unknown): (folder: string) => string {
  return (folder) => {
    make(join(folder, name));
    return join(folder, name);
  };
}
