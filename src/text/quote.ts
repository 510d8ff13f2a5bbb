/** A text in quotes, its beginning only where it is long: errors and logs shall stay readable whatever people send. */
export function quote(text: string, longest = 60): string {
  return JSON.stringify(text.length > longest ? `${text.slice(0, longest)}…` : text);
}
