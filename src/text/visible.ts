/** A text from elsewhere (a file's content or name) for a terminal: control characters, which could steer it, as `\x1b`. */
export function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
