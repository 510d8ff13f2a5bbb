import { readFileSync } from "node:fs";
import { execaSync } from "execa";

/** "1.1.1", "1.9.1"; a build that names no version is called by the newest CNI version it speaks: "for CNI 1.0.0". */
export function versionOfHostLocal(path: string): string {
  return ownWords(path) ?? goModule(path) ?? distribution(path) ?? `for CNI ${newestProtocol(path)}`;
}

/** Releases say it when they are run without CNI_COMMAND. */
function ownWords(path: string): string | undefined {
  const { stderr } = execaSync(path, { env: { CNI_COMMAND: undefined }, input: "", reject: false });
  return /plugin v(?:ersion v)?(\d+\.\d+\.\d+)/.exec(stderr)?.[1];
}

/** What `go install` built carries its module's version. */
function goModule(path: string): string | undefined {
  const program = readFileSync(path, "latin1");
  return /mod\tgithub\.com\/containernetworking\/plugins\tv(\d+\.\d+\.\d+)/.exec(program)?.[1];
}

function distribution(path: string): string | undefined {
  const owner = execaSync("dpkg-query", ["--search", path], { reject: false });
  const name = owner.exitCode === 0 ? owner.stdout.split(":")[0] : undefined;
  if (!name) return undefined;
  const { stdout } = execaSync("dpkg-query", ["--status", name], { reject: false });
  return /^Version: (\d+\.\d+\.\d+)/m.exec(stdout)?.[1];
}

function newestProtocol(path: string): string {
  const { stdout } = execaSync(path, { env: { CNI_COMMAND: "VERSION" }, input: "", reject: false });
  return /"cniVersion":"([\d.]+)"/.exec(stdout)?.[1] ?? "an unknown version";
}
