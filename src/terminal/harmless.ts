/** The colours of ours (paint.ts), else a control character: of those, line ends and tabs may pass. */
const control = /\u001b\[(?:1|2|22|3[1-69])m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/**
 * Lines for a terminal that can't steer it, whatever names and annotations in them hold: control characters as `\u001b`, which JSON
 * and YAML read as the same.
 */
export function harmless(text: string): string {
  return text.replace(control, (found) =>
    found.length > 1 ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
