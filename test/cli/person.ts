import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { callPlugin, type Executable, type PluginAnswer } from "../parts/plugin.ts";
import type { Worker } from "../real/parts/worker.ts";

/** Who types commands on a worker; the environment has nothing but PATH and CNI_PATH, unless told. */
export type Person = {
  /** Writes a network configuration, kube-node's own with these keys of `ipam` unless it is given whole; gives its path. */
  write(ipam?: Record<string, unknown>, whole?: Record<string, unknown>, name?: string): string;
  run(...words: string[]): Promise<PluginAnswer>;
  runWith(what: { stdin?: unknown; env?: Record<string, string> }, ...words: string[]): Promise<PluginAnswer>;
};

export function makePerson(worker: Worker, executable: Executable): Person {
  const runWith: Person["runWith"] = ({ stdin, env }, ...words) =>
    callPlugin({
      command: [...executable.command("kube-node"), ...words],
      path: worker.path,
      cwd: worker.folder,
      ...(stdin !== undefined && { stdin }),
      ...(env && { env }),
    });
  return {
    write(ipam, whole, name = "net1.conf") {
      const own = { cniVersion: "1.0.0", name: "net1", type: "bridge", ipam: worker.ipam(ipam) };
      const path = join(worker.folder, name);
      writeFileSync(path, JSON.stringify(whole ?? own));
      return path;
    },
    run: (...words) => runWith({}, ...words),
    runWith,
  };
}
