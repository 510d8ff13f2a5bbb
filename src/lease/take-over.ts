import { type AttachmentRecord, claim } from "./record.ts";

/**
 * Claims an attachment in order to free it, if it is still what it was when it was judged (`nonce`; undefined: it had no
 * record). A runtime may ADD the very container again, right now: of that ADD and this release, the claim lets one go on.
 */
export function takeOver(folder: string, own: AttachmentRecord, nonce: string | undefined): boolean {
  try {
    claim(folder, own, (held) => {
      if (held.nonce !== nonce) throw new Superseded();
    });
    return true;
  } catch (error) {
    if (error instanceof Superseded) return false;
    throw error;
  }
}

class Superseded extends Error {}
