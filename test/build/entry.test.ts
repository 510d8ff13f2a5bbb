import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa, execaSync } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { giveEntry, machineCode } from "../../scripts/give-entry.ts";
import { checkout, type Requirement, whatLacks } from "../parts/tools.ts";

const folder = mkdtempSync(join(tmpdir(), "entry-"));
const own = process.arch === "arm64" ? "arm64" : "amd64";
const built = join(checkout, "_output/kube-node");

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function program(name: string): Requirement {
  return execaSync("which", [name], { reject: false }).exitCode === 0 ? {} : { missing: name };
}

describe("what the executable begins with", () => {
  const prefix = { amd64: "x86_64-linux-gnu-", arm64: "aarch64-linux-gnu-" };
  const options = { amd64: ["-msyntax=intel", "-mnaked-reg"], arm64: [] };
  for (const machine of ["amd64", "arm64"] as const) {
    const assembler = machine === own ? "as" : `${prefix[machine]}as`;
    const lack = whatLacks(program(assembler), program("objcopy"));
    it.skipIf(lack.some)(`is what scripts/entry/${machine}.s says${lack.words}`, async () => {
      const [object, bytes] = [join(folder, `${machine}.o`), join(folder, `${machine}.bin`)];
      await execa(assembler, [
        ...options[machine],
        "-o",
        object,
        join(checkout, `scripts/entry/${machine}.s`),
      ]);
      const copy = machine === own ? "objcopy" : `${prefix[machine]}objcopy`;
      await execa(copy, ["-O", "binary", "-j", ".text", object, bytes]);
      expect(readFileSync(bytes).toString("hex")).toBe(machineCode[machine] + "00".repeat(16));
    });
  }

  /** The environment that a delegate of the built executable gets, sorted. */
  async function delegateEnvironment(env: Record<string, string>): Promise<string[]> {
    const delegate = join(folder, "prints-environment");
    writeFileSync(delegate, `#!/bin/sh\n/usr/bin/env >${folder}/environment\necho '{}'\n`, { mode: 0o755 });
    const input = {
      cniVersion: "1.0.0",
      name: "net",
      ipam: { dataDir: folder, nextipam: "prints-environment" },
    };
    await execa(built, { env, extendEnv: false, input: JSON.stringify(input) });
    const lines = readFileSync(join(folder, "environment"), "utf8").trim().split("\n");
    return lines.filter((line) => !line.startsWith("PWD=")).toSorted();
  }

  it("leaves the environment as it is, for delegates", async () => {
    const long = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`LONG_${i}`, "x".repeat(i)]));
    const env = { CNI_COMMAND: "DEL", CNI_CONTAINERID: "c", CNI_IFNAME: "eth0", CNI_PATH: folder, ...long };
    const expected = Object.entries(env).map(([key, value]) => `${key}=${value}`);
    expect(await delegateEnvironment(env)).toEqual(expected.toSorted());
  });

  it.each([
    [
      "is without a just-in-time compiler where a runtime calls",
      "useJIT=false",
      [],
      { CNI_COMMAND: "VERSION" },
    ],
    ["has one where a person does", "useJIT=true", ["-version"], {}],
  ])("%s", async (_, expected, args, env) => {
    const { all } = await execa(built, args, {
      all: true,
      env: { BUN_JSC_dumpOptions: "2", ...env },
      extendEnv: false,
      input: JSON.stringify({ cniVersion: "1.0.0" }),
    });
    expect(all).toContain(expected);
  });

  it("refuses what it can't be given to", () => {
    const text = join(folder, "text");
    writeFileSync(text, "x".repeat(100));
    expect(() => giveEntry(readFileSync(text))).toThrow("it is no ELF executable for amd64 or arm64");
    expect(() => giveEntry(readFileSync(built))).toThrow("it has no room before its code");
  });
});
