import { hasClosing, hasExcluded, type Territory } from "./territory.ts";
import { levels } from "./use.ts";

/** Classes of CSS, and what they mean. */
export type Look = { look: string; words: string };

/** What blocks look like; what only pools have is told where there is some. */
export function blockLooks(
  territory: Territory,
  { full, contested }: { full: string; contested: string },
): Look[] {
  return [
    { look: "free", words: "free" },
    ...(hasExcluded(territory) ? [{ look: "excluded", words: "excluded" }] : []),
    { look: "s0", words: "unused" },
    ...levels.slice(1).map((upTo, at) => ({
      look: `s${at + 1}`,
      words: upTo === 1 ? full : `to ${percent(upTo)}`,
    })),
    ...(hasClosing(territory) ? [{ look: "s0 closing", words: "closing" }] : []),
    { look: "contested", words: contested },
  ];
}

export function percent(share: number | undefined): string {
  return `${Math.round((share ?? 0) * 100)} %`;
}
