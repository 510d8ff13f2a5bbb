import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkout } from "../parts/tools.ts";

const folder = mkdtempSync(join(tmpdir(), "kubectl-plugin-"));
const own = process.arch === "arm64" ? "linux-arm64" : "linux-amd64";
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const built = (machine: string, file: string) => join(folder, "output/kubectl", machine, file);

describe("./build.sh kubectl", () => {
  beforeAll(async () => {
    const env = { KUBE_NODE_OUTPUT: join(folder, "output"), NO_PACKAGES: "1" };
    expect(
      await execa(join(checkout, "build.sh"), ["kubectl"], { cwd: checkout, env, input: "" }),
    ).toMatchObject({ exitCode: 0 });
  }, 300_000);

  it("makes the plugin for five machines, each with what kubectl asks for completions", () => {
    expect(readdirSync(join(folder, "output/kubectl")).sort()).toEqual([
      "darwin-amd64",
      "darwin-arm64",
      "linux-amd64",
      "linux-arm64",
      "windows-amd64",
    ]);
    for (const machine of ["darwin-amd64", "darwin-arm64", "linux-amd64", "linux-arm64"])
      for (const file of ["kubectl-kube_node", "kubectl_complete-kube_node"])
        expect(statSync(built(machine, file)).mode).toBe(0o100755);
    expect(statSync(built("windows-amd64", "kubectl-kube_node.exe")).size).toBeGreaterThan(1 << 20);
    expect(readFileSync(built("windows-amd64", "kubectl_complete-kube_node.cmd"), "utf8")).toBe(
      "@kubectl-kube_node.exe __complete %*\r\n",
    );
  });

  it("this machine's runs here, and completes by its script", async () => {
    const { version } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as {
      version: string;
    };
    expect((await execa(built(own, "kubectl-kube_node"), ["--version"])).stdout).toContain(version);
    const env = { PATH: `${join(folder, "output/kubectl", own)}:${process.env["PATH"]}` };
    expect((await execa(built(own, "kubectl_complete-kube_node"), ["ver"], { env })).stdout).toMatch(
      /^verify\t.*\n:4$/,
    );
  });

  it("linux: is for its processor", () => {
    const machine = (name: string) => readFileSync(built(name, "kubectl-kube_node")).readUInt16LE(18);
    expect([machine("linux-amd64"), machine("linux-arm64")]).toEqual([62, 183]);
  });

  it("darwin: is a Mach-O executable for its processor; signed anew for arm64, unsigned for amd64", () => {
    const arm = readMachO(readFileSync(built("darwin-arm64", "kubectl-kube_node")));
    expect(arm).toMatchObject({ processor: 0x0100000c, end: "signature" });
    expect(arm.badPages).toBe(0);
    const amd = readMachO(readFileSync(built("darwin-amd64", "kubectl-kube_node")));
    expect(amd).toMatchObject({ processor: 0x01000007, end: "link edit" });
  });

  it("windows: is a console program for amd64", () => {
    const bytes = readFileSync(built("windows-amd64", "kubectl-kube_node.exe"));
    expect(bytes.toString("latin1", 0, 2)).toBe("MZ");
    const header = bytes.readUInt32LE(0x3c);
    expect([
      bytes.toString("latin1", header, header + 4),
      bytes.readUInt16LE(header + 4),
      bytes.readUInt16LE(header + 92),
    ]).toEqual(["PE\0\0", 0x8664, 3]);
  });
});

/** What macOS looks at first: the processor, whether the file ends with its last part, and each page against the signature's hash. */
function readMachO(bytes: Buffer) {
  expect(bytes.readUInt32LE(0)).toBe(0xfeedfacf);
  let end: "signature" | "link edit" | "something else" = "something else";
  let badPages: number | undefined;
  for (let at = 32, left = bytes.readUInt32LE(16); left > 0; left--, at += bytes.readUInt32LE(at + 4)) {
    const type = bytes.readUInt32LE(at);
    const isLinkEdit = type === 0x19 && bytes.toString("latin1", at + 8, at + 18) === "__LINKEDIT";
    if (
      isLinkEdit &&
      Number(bytes.readBigUInt64LE(at + 40) + bytes.readBigUInt64LE(at + 48)) === bytes.length
    )
      end = "link edit";
    if (type !== 0x1d) continue;
    const [start, size] = [bytes.readUInt32LE(at + 8), bytes.readUInt32LE(at + 12)];
    if (start + size === bytes.length) end = "signature";
    badPages = countBadPages(bytes, start);
  }
  return { processor: bytes.readUInt32LE(4), end, badPages };
}

/** An embedded signature (0xfade0cc0) holds a code directory (0xfade0c02) with a SHA-256 a page. */
function countBadPages(bytes: Buffer, signature: number): number {
  expect(bytes.readUInt32BE(signature)).toBe(0xfade0cc0);
  const directory = signature + bytes.readUInt32BE(signature + 16);
  expect(bytes.readUInt32BE(directory)).toBe(0xfade0c02);
  const [hashes, count, limit] = [16, 28, 32].map((at) => bytes.readUInt32BE(directory + at)) as [
    number,
    number,
    number,
  ];
  const page = 1 << bytes.readUInt8(directory + 39);
  let bad = 0;
  for (let i = 0; i < count; i++) {
    const hash = createHash("sha256")
      .update(bytes.subarray(i * page, Math.min((i + 1) * page, limit)))
      .digest();
    if (!hash.equals(bytes.subarray(directory + hashes + i * 32, directory + hashes + (i + 1) * 32))) bad++;
  }
  return bad;
}
