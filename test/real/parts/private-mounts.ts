import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
import { type Requirement, root } from "../../parts/tools.ts";

// A place that isn't there is made on a tmpfs over its parent, never on the machine.
const script = `
while [ "$1" != -- ]; do
  [ -d "$2" ] || { mount -t tmpfs none "\${2%/*}"; mkdir "$2"; }
  mount --bind "$1" "$2"
  shift 2
done
shift
exec "$@"`;

/** The same command in a mount namespace of its own, where `places` (absolute paths) are the folders given. */
export function withMounts(places: Record<string, string>, command: string[]): string[] {
  const pairs = Object.entries(places).flatMap(([place, folder]) => [folder, place]);
  return ["unshare", "--mount", "sh", "-ec", script, "sh", ...pairs, "--", ...command];
}

/** Whether that can be done here, tried by doing it. */
export function privateMounts(): Requirement {
  if (root().missing) return root();
  const folder = mkdtempSync(join(tmpdir(), "mount-"));
  const [file, ...args] = withMounts({ "/var/lib/cni": folder }, ["true"]);
  const tried = execaSync(file as string, args, { reject: false });
  rmSync(folder, { recursive: true });
  return tried.exitCode === 0 ? {} : { missing: "the right to mount" };
}
