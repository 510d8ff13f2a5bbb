/** A flag that takes several values, with commas between them or given again. */
export function addToList(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(",").map((one) => one.trim())].filter((one) => one !== "");
}
