import { chmodSync, chownSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { refuseForeignKubeconfig } from "../../src/kube/trusted-file.ts";
import { root, whatLacks } from "../parts/tools.ts";

const folder = mkdtempSync(join(tmpdir(), "trusted-"));
afterAll(() => rmSync(folder, { recursive: true }));
const lack = whatLacks(root());

function make(name: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, "{}");
  chmodSync(path, mode);
  return path;
}

describe("refuseForeignKubeconfig", () => {
  it("takes a file of one's own, and leaves an absent one to the reader", () => {
    expect(() => refuseForeignKubeconfig(make("own"))).not.toThrow();
    expect(() => refuseForeignKubeconfig(make("shared", 0o644))).not.toThrow();
    expect(() => refuseForeignKubeconfig(join(folder, "none"))).not.toThrow();
  });

  it("refuses one that everybody may write", () => {
    expect(() => refuseForeignKubeconfig(make("open", 0o666))).toThrow("everybody may write it");
  });

  it.skipIf(lack.some)(`refuses somebody else's${lack.words}`, () => {
    const path = make("foreign");
    chownSync(path, 12345, 12345);
    expect(() => refuseForeignKubeconfig(path)).toThrow("it belongs to user 12345");
  });

  it("refuses what lies where pods' files are, also behind a link", () => {
    symlinkSync("/proc/self/environ", join(folder, "link"));
    expect(() => refuseForeignKubeconfig("/proc/self/environ")).toThrow(
      "it lies where pods' files are, /proc/",
    );
    expect(() => refuseForeignKubeconfig(join(folder, "link"))).toThrow(
      "it lies where pods' files are, /proc/",
    );
  });
});
