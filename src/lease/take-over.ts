import { removeIfThere } from "../host/files.ts";
import { thisProcess } from "../host/process.ts";
import { type AttachmentRecord, type Claim, claim, noteDelegate } from "./record.ts";

/**
 * Claims an attachment in order to free it, if it is still what it was when it was judged (`links`; empty: it had no
 * record). The claim says who frees it, so that it is dead again where this process is killed. A runtime may ADD the very
 * container again, right now: of that ADD and this release, the claim lets one go on.
 */
export function takeOver(folder: string, own: AttachmentRecord, links: readonly string[]): Claim | undefined {
  try {
    return claim(folder, { ...own, releaser: thisProcess() }, ({ nonce }) => {
      if (!links.includes(nonce)) throw new Superseded();
    });
  } catch (error) {
    if (error instanceof Superseded) return undefined;
    throw error;
  }
}

/** Notes which process frees it. Were this one killed, the next one would wait for that; a full disk stops no release. */
export function noteIfPossible(claim: Claim, pid: number): void {
  try {
    noteDelegate(claim, pid);
  } catch (error) {
    if (!(error instanceof Error && "syscall" in error)) throw error;
  }
}

/** What could not be freed is again what it was: dead, for the next one who looks. */
export function giveBack({ path }: Claim): void {
  removeIfThere(path);
}

class Superseded extends Error {}
