import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startGuarded } from "./guarded-process.ts";

const forever = ["-c", 'echo "$$"; exec sleep 1000'];

describe("a guarded process", () => {
  let folder: string;
  let log: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "guarded-"));
    log = join(folder, "log");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("ends when it is told to", async () => {
    const process = startGuarded("/bin/sh", forever, log);
    const pid = await readPid(log);
    expect(isAlive(pid)).toBe(true);
    expect(process.hasExited()).toBe(false);
    await process.kill();
    expect(process.hasExited()).toBe(true);
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it("ends when who started it is killed without warning", async () => {
    const module = join(import.meta.dirname, "guarded-process.ts");
    const program = `
      const { startGuarded } = await import(${JSON.stringify(module)});
      startGuarded("/bin/sh", ${JSON.stringify(forever)}, ${JSON.stringify(log)});
      setInterval(() => {}, 1000);
    `;
    const parent = execFile(process.execPath, ["--input-type=module", "-e", program]);
    const pid = await readPid(log);
    expect(isAlive(pid)).toBe(true);
    parent.kill("SIGKILL");
    await once(parent, "exit");
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it("tells of its own end, and its last words", async () => {
    const process = startGuarded("/bin/sh", ["-c", "echo no such flag >&2; exit 1"], log);
    await process.exited;
    expect(process.hasExited()).toBe(true);
    expect(process.lastWords()).toBe("no such flag\n");
  });
});

async function readPid(log: string): Promise<number> {
  const read = async (): Promise<number> => Number(await readFile(log, "utf8").catch(() => ""));
  await expect.poll(read, { timeout: 10_000 }).toBeGreaterThan(0);
  return read();
}

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);
