import { accessSync, constants, statSync } from "node:fs";
import { CniError, code } from "../cni/error.ts";
import type { DelegateChoice } from "./request.ts";

/** The first regular file of that name in the folders, as libcni finds plugins (pkg/invoke/find.go). */
export function findDelegate({ name, path, folders }: DelegateChoice): string {
  const candidates = path === undefined ? folders.map((folder) => `${folder}/${name}`) : [path];
  const found = candidates.find((candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile());
  if (found === undefined) {
    const where = path === undefined ? `looked in ${folders.join(", ")}` : `no file ${path}`;
    throw new CniError(
      code.io,
      `delegate plugin ${name} not found`,
      `${where}; it comes with the CNI plugins (containernetworking-plugins)`,
    );
  }
  try {
    accessSync(found, constants.X_OK);
  } catch {
    throw new CniError(code.io, `delegate plugin ${found} is not executable`, `chmod +x ${found}`);
  }
  return found;
}
