import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { executables } from "../../parts/plugin.ts";

/** What the built executable says it is. */
export function builtVersion(): string {
  const said = execFileSync(executables()[0]?.command("kube-node")[0] as string, ["-version"], {
    encoding: "utf8",
  });
  return said.trim().replace("kube-node ", "");
}

/** The built executable with another version in it, of the same length: the agent's path. Gone after the test. */
export function makeOtherVersion(version: string): { agent: string; version: string } {
  const own = builtVersion();
  const other = version + own.slice(version.length);
  const folder = mkdtempSync(join(tmpdir(), "other-version-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const bytes = readFileSync(executables()[0]?.command("kube-node")[0] as string);
  for (let at = bytes.indexOf(own); at >= 0; at = bytes.indexOf(own, at + 1)) bytes.write(other, at);
  writeFileSync(join(folder, "kube-node"), bytes, { mode: 0o755 });
  symlinkSync("kube-node", join(folder, "kube-node-agent"));
  return { agent: join(folder, "kube-node-agent"), version: other };
}
