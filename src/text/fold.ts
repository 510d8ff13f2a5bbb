/** Keys that fold to one text are one key to Go's encoding/json, long s and Kelvin sign included. */
export function fold(key: string): string {
  return key.toUpperCase().toLowerCase();
}
