import { accessSync, constants, existsSync, statSync } from "node:fs";
import { CniError, code } from "../cni/error.ts";
import { isAtLeast, isVersion } from "../cni/versions.ts";
import { findRanges } from "../ranges/node-ranges.ts";
import { delegateIpam, gateFamilies, withIpam } from "../request/delegate-config.ts";
import { findDelegate } from "../request/find-delegate.ts";
import { leaseFolder } from "../request/lease-folder.ts";
import { toWanted } from "../request/wanted-ranges.ts";
import type { JsonObject } from "../text/json.ts";
import { callDelegate, delegateVersions } from "./delegate.ts";
import { toCniError } from "./fault.ts";
import type { Request } from "./request.ts";

/** Nothing, where an ADD would find all it needs now; else 50 with the reason. What isn't a reason: docs/decisions/0010. */
export async function status(request: Request): Promise<string> {
  try {
    const path = findDelegate(request.delegate);
    request.pooled?.begin();
    const found = await findRanges(toWanted(request));
    if (request.pooled?.isMovedIn(request.state.folder) === false)
      await (await import("./move-in.ts")).checkMoveIn(request);
    const ipam = delegateIpam(request, request.prepare(found.ipam));
    checkFamilies(request, ipam, found.node);
    checkWritable(leaseFolder(request, ipam));
    const knowsStatus = (await delegateVersions(request, path)).some(
      (v) => isVersion(v) && isAtLeast(v, "1.1.0"),
    );
    if (knowsStatus) await callDelegate(request, path, withIpam(request, ipam), request.env);
    return "";
  } catch (error) {
    const { code: own, message, details } = toCniError(error);
    throw new CniError(own === code.notAvailableLimited ? own : code.notAvailable, message, details, error);
  }
}

/** Where no namespace may have IPv4, something has to be left. Where some may, their pods can be added. */
function checkFamilies({ ipv4Namespaces }: Request, ipam: JsonObject, node: string): void {
  if (ipv4Namespaces?.length === 0) gateFamilies(ipam, ipv4Namespaces, {}, node);
}

/** The folder itself, or the nearest one above it that is there. */
function checkWritable(folder: string): void {
  let existing = folder;
  while (!existsSync(existing) && existing.includes("/"))
    existing = existing.slice(0, existing.lastIndexOf("/"));
  try {
    if (existing && !statSync(existing).isDirectory()) throw new Error("it is no folder");
    accessSync(existing || "/", constants.W_OK);
  } catch (error) {
    throw new CniError(code.notAvailable, `${existing} can't be written`, (error as Error).message, error);
  }
}
