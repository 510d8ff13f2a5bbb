import { removeIfThere } from "../host/files.ts";
import { type AttachmentRecord, type Claim, claim } from "./record.ts";

/**
 * Claims an attachment in order to free it, if it is still what it was when it was judged (`nonce`; undefined: it had no
 * record). A runtime may ADD the very container again, right now: of that ADD and this release, the claim lets one go on.
 */
export function takeOver(
  folder: string,
  own: AttachmentRecord,
  nonce: string | undefined,
): Claim | undefined {
  try {
    return claim(folder, own, (held) => {
      if (held.nonce !== nonce) throw new Superseded();
    });
  } catch (error) {
    if (error instanceof Superseded) return undefined;
    throw error;
  }
}

/** What could not be freed is again what it was: dead, for the next one who looks. */
export function giveBack({ path }: Claim): void {
  removeIfThere(path);
}

class Superseded extends Error {}
